import type { SubmissionServiceService, Upload, UploadOutcome } from '../gen/mesh/cwa/submission/v1/submission.ts';
import type {
  GetTestResultOutcome,
  IssueTanOutcome,
  RegisterTokenOutcome,
  Registration,
  RegistrationServiceService,
} from '../gen/mesh/cwa/verification/v1/verification.ts';
import type { Client } from '../lib/rpc/api.ts';
import type { Clock } from '../lib/time/clock.ts';
import { gather } from './gather.ts';

/** What phone handlers ask of the mesh, one item at a time. */
export interface PhoneMesh {
  submitKeys(upload: Upload): Promise<UploadOutcome>;
  registerToken(registration: Registration): Promise<RegisterTokenOutcome>;
  getTestResult(registrationToken: string): Promise<GetTestResultOutcome>;
  issueTan(registrationToken: string): Promise<IssueTanOutcome>;
}

export interface GatherSettings {
  readonly windowMs: number;
  readonly maxItems: number;
  readonly clock: Clock;
}

/** Below the 16 MiB that a service takes in one message. */
const maxUploadBytes = 4 * 1024 * 1024;

/** The mesh behind gathered calls: what comes within the window goes as one call. */
export function gatheredMesh(
  submission: Pick<Client<SubmissionServiceService>, 'submitKeys'>,
  verification: Client<RegistrationServiceService>,
  settings: GatherSettings,
): PhoneMesh {
  return {
    submitKeys: gather<Upload, UploadOutcome>({
      ...settings,
      call: async (uploads) => (await submission.submitKeys({ uploads: [...uploads] })).outcomes,
      maxBytes: maxUploadBytes,
      sizeOf: (upload) => upload.payload.length,
    }),
    registerToken: gather<Registration, RegisterTokenOutcome>({
      ...settings,
      call: async (registrations) =>
        (await verification.registerTokens({ registrations: [...registrations] })).outcomes,
    }),
    getTestResult: gather<string, GetTestResultOutcome>({
      ...settings,
      call: async (tokens) => (await verification.getTestResults({ registrationTokens: [...tokens] })).outcomes,
    }),
    issueTan: gather<string, IssueTanOutcome>({
      ...settings,
      call: async (tokens) => (await verification.issueTans({ registrationTokens: [...tokens] })).outcomes,
    }),
  };
}
