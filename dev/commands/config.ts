import { type Command, Option } from 'commander';
import { differences, differenceText } from '../config/difference.ts';
import { publishedConfiguration } from '../config/published.ts';
import { byObjectKey, type PublishedFiles, readable } from '../config/readable.ts';
import { withVersions } from '../config/versions.ts';
import { ConfigError, type Env } from '../../lib/process/config.ts';
import { buildConfiguration } from '../../svc/distribution/app-config/build.ts';
import { ConfigurationFault } from '../../svc/distribution/app-config/faults.ts';
import { defaultConfiguration } from '../../svc/distribution/app-config/source.ts';
import { readConfiguration, readRules } from '../../svc/distribution/config.ts';
import { parseCount } from './duration.ts';

const fileText =
  'JSON with the values that differ from the published defaults; DISTRIBUTION_APP_CONFIGURATION_FILE when left out';

/** `cwa config`: what phones are told, before and after it is published (issue 4, "Configuration"). */
export function addConfigCommands(program: Command): void {
  const group = program
    .command('config')
    .description('the configuration of the apps: preview, difference, history, rollback');
  group
    .command('preview')
    .description('print what would be published, as phones decode it; exit status 1 when a rule is broken')
    .argument('[file]', fileText)
    .action((file: string | undefined) => {
      const built = candidate(process.env, file);
      if (built) print(JSON.stringify(readable(built.files, built.country), null, 2));
    });
  group
    .command('diff')
    .description('what publishing would change, field by field; exit status 0 nothing, 1 something or a broken rule')
    .argument('[file]', fileText)
    .addOption(
      new Option('--default', 'compare with the published defaults and not with what is published').conflicts(
        'version',
      ),
    )
    .option('--version <n>', 'compare with a version that distribution keeps', parseCount)
    .option('--json', 'print one JSON object')
    .action(diff);
  group
    .command('history')
    .description('every configuration that was ever published, newest first')
    .option('--json', 'print one JSON object')
    .action(history);
  group
    .command('rollback')
    .description('publish the content of an earlier version as a new one; it holds until something else is configured')
    .argument('<version>', 'a version of cwa config history', parseCount)
    .option('--json', 'print one JSON object')
    .action(rollback);
}

interface Candidate {
  readonly files: PublishedFiles;
  readonly country: string;
}

/** The files of the configured source; undefined, with every fault told, when it breaks a rule. */
function candidate(env: Env, file: string | undefined): Candidate | undefined {
  const given = file === undefined ? env : { ...env, DISTRIBUTION_APP_CONFIGURATION_FILE: file };
  const rules = readRules(env);
  try {
    const files = buildConfiguration(readConfiguration(given), rules);
    return { files: byObjectKey(files, rules.originCountry), country: rules.originCountry };
  } catch (error) {
    if (file !== undefined && error instanceof ConfigError) {
      throw new ConfigError(
        error.faults.map((fault) => fault.replace(/^DISTRIBUTION_APP_\w+: the file it names/, file)),
      );
    }
    if (!(error instanceof ConfigurationFault)) throw error;
    for (const { field, value, rule } of error.faults) {
      process.stderr.write(`cwa: ${field} = ${JSON.stringify(value)} breaks ${rule}\n`);
    }
    process.exitCode = 1;
    return undefined;
  }
}

async function diff(file: string | undefined, options: { default?: boolean; version?: number; json?: boolean }) {
  const after = candidate(process.env, file);
  if (after === undefined) return;
  const before = await toCompareWith(process.env, after.country, options);
  const found = differences(readable(before.files, after.country), readable(after.files, after.country));
  if (options.json) print(JSON.stringify({ comparedWith: before.from, differences: found }));
  else print([`compared with ${before.from}`, found.length === 0 ? 'no difference' : differenceText(found)].join('\n'));
  process.exitCode = found.length === 0 ? 0 : 1;
}

async function toCompareWith(env: Env, country: string, options: { default?: boolean; version?: number }) {
  const { version } = options;
  if (version !== undefined) {
    return withVersions(env, async (versions) => ({
      from: `version ${version}`,
      files: await versions.files(version, country),
    }));
  }
  const published = options.default ? undefined : await publishedConfiguration(env, country);
  if (published) return published;
  const rules = readRules(env);
  const digest = readConfiguration({ ...env, DISTRIBUTION_APP_CONFIGURATION_FILE: '' }).dgc
    .reissueServicePublicKeyDigest;
  const files = buildConfiguration(defaultConfiguration(digest), rules);
  return { from: 'the published defaults', files: byObjectKey(files, country) };
}

async function history(options: { json?: boolean }) {
  const { versions, pending } = await withVersions(process.env, async (kept) => ({
    versions: await kept.history(),
    pending: await kept.rollback(),
  }));
  const rows = versions.map(({ version, published_at, content_hash, restores }) => ({
    version,
    publishedAt: published_at.toISOString(),
    contentHash: content_hash,
    restores,
  }));
  if (options.json) return print(JSON.stringify({ versions: rows, rollback: pending ?? null }));
  for (const { version, publishedAt, contentHash, restores } of rows) {
    const back = restores === null ? '' : `  brings back ${restores}`;
    print(`${String(version).padStart(5)}  ${publishedAt}  ${contentHash.slice(0, 16)}${back}`);
  }
  print(
    pending === undefined
      ? 'no rollback is in force'
      : `a rollback to version ${pending} is in force or comes with the next run`,
  );
}

async function rollback(version: number, options: { json?: boolean }) {
  const published = await withVersions(process.env, (versions) => versions.bringBack(version));
  if (options.json) return print(JSON.stringify({ version, published }));
  print(
    published
      ? `the content of version ${version} is published`
      : `the next distribution run publishes the content of version ${version}`,
  );
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
