import { expect, test } from 'vitest';
import { seededRandom } from '../random/random.ts';
import {
  FAKE_TOKENS,
  GUID_PATTERN,
  HASHED_ID_PATTERN,
  hashGuid,
  hashGuidWithBirthDate,
  hashText,
  isTeleTan,
  newTeleTan,
  rapidTestHash,
  rapidTestKey,
  TELE_TAN_PATTERN,
  teleTanCheckCharacter,
  UUID_PATTERN,
} from './token-format.ts';

test('S 2.8: keys with date of birth, both vectors', () => {
  expect(hashGuidWithBirthDate('E1277F-E1277F24-4AD2-40BC-AFF8-CBCCCD893E4B', { year: 2000, month: 1, day: 1 })).toBe(
    'xfa760e171f000ef5a7f863ab180f6f6e8185c4890224550395281d839d85458',
  );
  expect(hashGuidWithBirthDate('F1EE0D-F1EE0D4D-4346-4B63-B9CF-1522D9200915', { year: 1995, month: 6, day: 7 })).toBe(
    'x4a7788ef394bc7d52112014b127fe2bf142c51fe1bbb385214280e9db670193',
  );
});

test('S 2.8: a token is stored as the hash of its text', () => {
  expect(hashText('1ea6ce8a-9740-41ea-bb37-0242ac130002')).toBe(
    '0199effab87800689c15c08e234db54f088cc365132ffc230e882b82cd3ecf95',
  );
});

test('S 2.8: a GUID is hashed exactly as printed', () => {
  const guid = 'E1277F-E1277F24-4AD2-40BC-AFF8-CBCCCD893E4B';
  expect(hashGuid(guid)).not.toBe(hashGuid(guid.toLowerCase()));
  expect(hashGuid(guid)).toMatch(/^[0-9a-f]{64}$/);
  expect(GUID_PATTERN.test(guid)).toBe(true);
  expect(GUID_PATTERN.test(guid.slice(1))).toBe(false);
});

test.each([
  ['FE9A5MAK6', 'C'],
  ['WPHSATMHD', '4'],
  ['9N4UTTACE', '6'],
  ['FE9A5MAK9', 'H'],
  ['FE9A5MAKW', 'G'],
])('S 2.8: check character of %s is %s', (body, character) => {
  expect(teleTanCheckCharacter(body)).toBe(character);
});

test.each(['9A3B578UMG', 'DEU7TKSV3H', 'PTPHM35RP4', 'ERYCJMM4DC'])(
  'S 2.8: teleTAN %s is valid as a whole',
  (teleTan) => {
    expect(isTeleTan(teleTan)).toBe(true);
  },
);

test.each(['9A3B578UM2', '9a3b578umg', '9A3B578UM', '9A3B578UMGG', '0A3B578UMG', ''])(
  'teleTAN %j is refused',
  (teleTan) => {
    expect(isTeleTan(teleTan)).toBe(false);
  },
);

test('new teleTANs are valid and use the whole alphabet evenly', () => {
  const random = seededRandom('teletan');
  const all = Array.from({ length: 3100 }, () => newTeleTan(random));
  expect(all.every((teleTan) => TELE_TAN_PATTERN.test(teleTan) && isTeleTan(teleTan))).toBe(true);
  const counts = new Map<string, number>();
  for (const character of all.map((teleTan) => teleTan.slice(0, 9)).join(''))
    counts.set(character, (counts.get(character) ?? 0) + 1);
  expect(counts.size).toBe(31);
  for (const count of counts.values()) expect(Math.abs(count - 900)).toBeLessThan(180);
});

test('S 2.1: token pattern takes the dummy tokens of both apps, and version 4 only', () => {
  expect(UUID_PATTERN.test(FAKE_TOKENS.android)).toBe(true);
  expect(UUID_PATTERN.test(FAKE_TOKENS.ios)).toBe(true);
  expect(UUID_PATTERN.test('1ea6ce8a-9740-11ea-bb37-0242ac130002')).toBe(false);
  expect(UUID_PATTERN.test('1EA6CE8A-9740-41ea-bb37-0242ac130002')).toBe(false);
  expect(UUID_PATTERN.test('1ea6ce8a-9740-41ea-Bb37-0242ac130002')).toBe(true);
  expect(UUID_PATTERN.test('1ea6ce8a-9740-41ea-bb37-0242ac130002\n')).toBe(false);
});

test('S 2.8, 3.4: rapid test: hash of the parts joined by #, the phone registers the hash of its hex text', () => {
  const anonymous = rapidTestHash({ timestamp: 1_618_386_548, salt: '759F8FF3554F0E1BBF6EFF8DE298D9E9' });
  expect(anonymous).toBe(hashText('1618386548#759F8FF3554F0E1BBF6EFF8DE298D9E9'));
  const person = { birthDate: '1990-12-24', firstName: 'Ada', lastName: 'L', testId: 't-1' };
  expect(rapidTestHash({ timestamp: 1, salt: 's' }, person)).toBe(hashText('1990-12-24#Ada#L#1#t-1#s'));
  expect(rapidTestKey(anonymous)).toBe(hashText(anonymous));
  expect(HASHED_ID_PATTERN.test(`x${'0'.repeat(63)}`)).toBe(true);
});
