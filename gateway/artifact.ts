/** Kinds of what phones download. */
export type Artifact = 'index' | 'hour' | 'day' | 'configuration' | 'other';

const packages = 'version/v1/diagnosis-keys/country';

/** What an object of the store is, by its key (D 2.8). */
export function artifactOf(key: string | undefined): Artifact {
  if (key === undefined) return 'other';
  if (key.startsWith(packages)) return packageOrIndex(key.slice(packages.length).split('/').length - 1);
  if (key === 'version' || key === 'version/index-v2') return 'index';
  return /^version\/v\d\/(app_config_|configuration\/)/.test(key) ? 'configuration' : 'other';
}

/** `/DE/date/2020-06-17/hour/5` has five parts; what is shorter by an odd number lists what is below it. */
function packageOrIndex(parts: number): Artifact {
  if (parts === 3) return 'day';
  if (parts === 5) return 'hour';
  return parts === 0 || parts === 2 || parts === 4 ? 'index' : 'other';
}
