import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  type ApplicationConfiguration,
  ApplicationConfigurationSchema,
} from '../../gen/edge/external/appconfig/v1/application_configuration_pb.ts';
import {
  type ApplicationConfigurationAndroid,
  ApplicationConfigurationAndroidSchema,
  type ApplicationConfigurationIOS,
  ApplicationConfigurationIOSSchema,
} from '../../gen/edge/external/appconfig/v2/application_configuration_pb.ts';
import { FormatError } from './format-error.ts';

export type ConfigV1 = ApplicationConfiguration;
export type ConfigAndroid = ApplicationConfigurationAndroid;
export type ConfigIos = ApplicationConfigurationIOS;
export type ConfigV1Values = MessageInitShape<typeof ApplicationConfigurationSchema>;
export type ConfigAndroidValues = MessageInitShape<typeof ApplicationConfigurationAndroidSchema>;
export type ConfigIosValues = MessageInitShape<typeof ApplicationConfigurationIOSSchema>;

/*
 * Configuration archives hold the bare message, without the header of key exports (P V-2). Equal values give
 * equal bytes, map entries in ascending key order: phones throw their result away when the ETag changes (D 2.8).
 */

/** The message of apps up to 1.7 (D 3.2). */
export function encodeConfigV1(values: ConfigV1Values): Buffer {
  return Buffer.from(toBinary(ApplicationConfigurationSchema, create(ApplicationConfigurationSchema, values)));
}

/** The message of Android apps from 1.8 (D 3.3). */
export function encodeConfigAndroid(values: ConfigAndroidValues): Buffer {
  const config = copy(ApplicationConfigurationAndroidSchema, values);
  const { diagnosisKeysDataMapping: mapping, dailySummariesConfig: summaries } = config;
  if (mapping) mapping.daysSinceOnsetToInfectiousness = ascending(mapping.daysSinceOnsetToInfectiousness);
  if (summaries) {
    summaries.infectiousnessWeights = ascending(summaries.infectiousnessWeights);
    summaries.reportTypeWeights = ascending(summaries.reportTypeWeights);
  }
  return Buffer.from(toBinary(ApplicationConfigurationAndroidSchema, config));
}

/** The message of iOS apps from 1.8 (D 3.3). */
export function encodeConfigIos(values: ConfigIosValues): Buffer {
  const config = copy(ApplicationConfigurationIOSSchema, values);
  const exposure = config.exposureConfiguration;
  if (exposure) {
    exposure.infectiousnessForDaysSinceOnsetOfSymptoms = ascending(exposure.infectiousnessForDaysSinceOnsetOfSymptoms);
  }
  return Buffer.from(toBinary(ApplicationConfigurationIOSSchema, config));
}

/** @throws FormatError when the bytes are not this message */
export function decodeConfigV1(bytes: Uint8Array): ConfigV1 {
  return decode(ApplicationConfigurationSchema, bytes);
}

/** @throws FormatError when the bytes are not this message */
export function decodeConfigAndroid(bytes: Uint8Array): ConfigAndroid {
  return decode(ApplicationConfigurationAndroidSchema, bytes);
}

/** @throws FormatError when the bytes are not this message */
export function decodeConfigIos(bytes: Uint8Array): ConfigIos {
  return decode(ApplicationConfigurationIOSSchema, bytes);
}

function decode<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageShape<S> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    const what = `is not the message ${schema.typeName}: ${error instanceof Error ? error.message : 'unreadable'}`;
    throw new FormatError('MESSAGE_MALFORMED', 'configuration', what, undefined, { cause: error });
  }
}

/** A copy that may be changed: `create` takes over a message that is one already. */
function copy<S extends DescMessage>(schema: S, values: MessageInitShape<S>): MessageShape<S> {
  return fromBinary(schema, toBinary(schema, create(schema, values)));
}

/**
 * The same entries, listed in ascending numeric order. A plain object always lists negative keys last, in the
 * order of insertion; days since onset may be negative.
 */
function ascending<V>(map: Record<string, V>): Record<string, V> {
  const keys = Object.keys(map).sort((a, b) => Number(a) - Number(b));
  return new Proxy(map, { ownKeys: () => keys });
}
