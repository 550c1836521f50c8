import type { Belonging } from './search.ts';

const at = (kind: string, form: string, place: RegExp): Belonging => ({ kind, form, place });

/** The complete list of what may be where (S 1.10, 2.10, 3.6, D 2.1). Whatever is not here is a leak. */
export const belongings: readonly Belonging[] = [
  // test-result holds results by what labs deliver, quick tests under its hash.
  at('hashed GUID', 'plain', /^column TEST_RESULT\.test_result\.result_id$/),
  at('hashed GUID with birth date', 'plain', /^column TEST_RESULT\.test_result\.result_id$/),
  at('partner id', 'sha256', /^column TEST_RESULT\.test_result\.result_id$/),
  at('lab id', 'plain', /^column TEST_RESULT\.test_result\.lab_id$/),
  at('submitter', 'hex', /^column TEST_RESULT\.test_result\.submitter$/),
  at('submitter', 'hex', /^file partners\.json$/),
  // The hash of a GUID is what the phone registers: the GUID itself is known to nobody here.
  at('GUID', 'sha256', /^column (TEST_RESULT\.test_result\.result_id|VERIFICATION\.session\.hashed_guid)$/),
  at('hashed GUID', 'plain', /^column VERIFICATION\.session\.hashed_guid$/),
  at('partner id', 'sha256', /^column VERIFICATION\.session\.hashed_guid$/),
  at('hashed GUID with birth date', 'plain', /^column VERIFICATION\.session\.hashed_guid_dob$/),
  // A birth date's hash that somebody registers as a GUID is refused, so it is in no other column.
  at('hashed GUID', 'sha256', /^column VERIFICATION\.registered_hash\.hash$/),
  at('hashed GUID with birth date', 'sha256', /^column VERIFICATION\.registered_hash\.hash$/),
  at('registration token', 'sha256', /^column VERIFICATION\.session\.token_hash$/),
  at('teleTAN', 'hmac', /^column VERIFICATION\.tele_tan\.hash$/),
  at('tan', 'sha256', /^column VERIFICATION\.(tan\.hash|tan_tombstone\.tan_hash)$/),
  at('hash of the keys', 'hex', /^column VERIFICATION\.(tan|tan_tombstone)\.keys_hash$/),
  at('location', 'sha256', /^column VERIFICATION\.(tan|tan_tombstone)\.keys_hash$/),
  // Keys are what all this is for.
  at('key data', 'hex', /^column SUBMISSION\.diagnosis_key\.key_data$/),
  at('key data', 'hex', /^column DISTRIBUTION\.key_pool\.key_data$/),
  at('key data', 'plain', /^object .*\/diagnosis-keys\/country\/[A-Z]+\/date\/.*!export\.bin$/),
  // Answers tell a caller what is the caller's own.
  at('registration token', 'plain', /^answer .* 201 own registration token$/),
  at('tan', 'plain', /^answer .* 201 own tan$/),
  at('lab id', 'plain', /^answer .* 200 own lab id$/),
];

/** Of these at least one sighting must be there, or the search saw nothing. */
export const expected: readonly (readonly [kind: string, place: RegExp])[] = [
  ['hashed GUID', /result_id$/],
  ['submitter', /submitter$/],
  ['hashed GUID', /registered_hash\.hash$/],
  ['registration token', /token_hash$/],
  ['teleTAN', /tele_tan\.hash$/],
  ['tan', /tan_tombstone\.tan_hash$/],
  ['hash of the keys', /keys_hash$/],
  ['location', /keys_hash$/],
  ['key data', /diagnosis_key\.key_data$/],
  ['key data', /key_pool\.key_data$/],
  ['key data', /!export\.bin$/],
  ['lab id', /^answer/],
  ['tan', /^answer/],
];
