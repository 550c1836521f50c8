import type { SubmissionServiceService, Upload, UploadOutcome } from '../gen/mesh/cwa/submission/v1/submission.ts';
import type {
  GetTestResultOutcome,
  IssueTanOutcome,
  RegisterTokenOutcome,
  Registration,
  RegistrationServiceService,
} from '../gen/mesh/cwa/verification/v1/verification.ts';
import type { Client } from '../lib/rpc/api.ts';
import { unavailable } from '../lib/rpc/errors.ts';
import type { Clock } from '../lib/time/clock.ts';
import { gather } from './gather.ts';

/** What phone handlers ask of the mesh, one item at a time. */
export interface PhoneMesh {
  submitKeys(upload: Upload): Promise<UploadOutcome>;
  registerToken(registration: Registration): Promise<RegisterTokenOutcome>;
  getTestResult(registrationToken: string): Promise<GetTestResultOutcome>;
  issueTan(registrationToken: string): Promise<IssueTanOutcome>;
}

/** The mesh for requests of the prober: each its own call, marked as synthetic (decision 35). */
export function syntheticMesh(
  submission: Pick<Client<SubmissionServiceService>, 'submitKeys'>,
  verification: Client<RegistrationServiceService>,
): PhoneMesh {
  const synthetic = { synthetic: true };
  const only = <T>([outcome, ...others]: readonly T[]): T => {
    if (outcome === undefined || others.length > 0) throw unavailable('OUTCOMES_DO_NOT_MATCH');
    return outcome;
  };
  return {
    submitKeys: async (upload) => only((await submission.submitKeys({ uploads: [upload] }, synthetic)).outcomes),
    registerToken: async (registration) =>
      only((await verification.registerTokens({ registrations: [registration] }, synthetic)).outcomes),
    getTestResult: async (token) =>
      only((await verification.getTestResults({ registrationTokens: [token] }, synthetic)).outcomes),
    issueTan: async (token) =>
      only((await verification.issueTans({ registrationTokens: [token] }, synthetic)).outcomes),
  };
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
