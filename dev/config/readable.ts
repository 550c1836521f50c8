import { type DescMessage, fromBinary, type JsonObject, toJson } from '@bufbuild/protobuf';
import { ApplicationConfigurationSchema } from '../../gen/edge/external/appconfig/v1/application_configuration_pb.ts';
import {
  ApplicationConfigurationAndroidSchema,
  ApplicationConfigurationIOSSchema,
} from '../../gen/edge/external/appconfig/v2/application_configuration_pb.ts';
import type { ConfigurationFiles } from '../../svc/distribution/app-config/build.ts';
import { objectKeys } from '../../svc/distribution/object-layout.ts';

/** `export.bin` of each configuration file by the name it is published under; absent what is not published. */
export type PublishedFiles = ReadonlyMap<string, Uint8Array>;

/** What phones decode, by object key. */
export type ReadableConfiguration = Readonly<Record<string, JsonObject>>;

const messages = (country: string): readonly (readonly [string, DescMessage, keyof ConfigurationFiles])[] => [
  [objectKeys.configurationV1(country), ApplicationConfigurationSchema, 'v1'],
  [objectKeys.configuration('v1', 'android'), ApplicationConfigurationAndroidSchema, 'androidV1'],
  [objectKeys.configuration('v1', 'ios'), ApplicationConfigurationIOSSchema, 'iosV1'],
  [objectKeys.configuration('v2', 'android'), ApplicationConfigurationAndroidSchema, 'androidV2'],
  [objectKeys.configuration('v2', 'ios'), ApplicationConfigurationIOSSchema, 'iosV2'],
];

export const configurationKeys = (country: string): string[] => messages(country).map(([key]) => key);

export const byObjectKey = (files: ConfigurationFiles, country: string): PublishedFiles =>
  new Map(messages(country).map(([key, , name]) => [key, files[name]]));

/** Decodes the files as phones do. Fields that stand at their default are shown: a phone sees them too. */
export function readable(files: PublishedFiles, country: string): ReadableConfiguration {
  return Object.fromEntries(
    messages(country).flatMap(([key, schema]) => {
      const bin = files.get(key);
      if (bin === undefined) return [];
      return [[key, toJson(schema, fromBinary(schema, bin), { alwaysEmitImplicit: true }) as JsonObject]];
    }),
  );
}
