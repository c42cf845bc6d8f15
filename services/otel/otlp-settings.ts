import { type OtlpSettings, type PemFile, PROTOCOLS, type Protocol, type Sources } from './settings-types.ts';
import { parseBoolean, parseOneOf, parsePairs, parseWhole, textOf } from './variables.ts';

/** How a signal is sent: its own variables over the shared ones. */
export const otlpSettings = ({ file, flags, variables, from }: Sources, signal: 'TRACES' | 'METRICS'): OtlpSettings => {
  const names = (suffix: string) => [`OTEL_EXPORTER_OTLP_${signal}_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`];
  const pemFile = (suffix: string): PemFile | undefined => {
    const path = from.choose<string | undefined>({
      names: names(suffix),
      parse: (text) => text, // read where the exporter is built
      expected: 'a path',
      fallback: undefined,
    });
    const variable = names(suffix).find((name) => textOf(variables, name) !== undefined);
    return path === undefined || variable === undefined ? undefined : { path, from: variable };
  };
  const headers = (name: string) =>
    from.choose({ names: [name], parse: parsePairs, expected: 'a list of key=value', fallback: {}, isSecret: true });

  const own = `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`;
  const isBase = flags.endpoint !== undefined || textOf(variables, own) === undefined;
  const endpoint = from.choose({
    key: isBase ? 'otel.endpoint' : undefined,
    flag: flags.endpoint,
    names: names('ENDPOINT'),
    parse: (text) => text, // checked where the exporter is built
    expected: 'a URL',
    file: file.endpoint,
    fallback: 'http://localhost:4318',
  });
  for (const name of names('PROTOCOL')) {
    if (flags.protocol === undefined && textOf(variables, name)?.toLowerCase() === 'grpc') {
      from.warn(`${name}: 'grpc' comes with a later version; http/protobuf is used instead`);
    }
  }
  const protocol = from.choose<Protocol | 'grpc'>({
    key: 'otel.protocol',
    flag: flags.protocol,
    names: names('PROTOCOL'),
    parse: parseOneOf<Protocol | 'grpc'>([...PROTOCOLS, 'grpc']),
    expected: `one of ${PROTOCOLS.join(', ')}`,
    file: file.protocol,
    fallback: 'http/protobuf',
  });
  const [signalHeaders = '', sharedHeaders = ''] = names('HEADERS');
  return {
    endpoint,
    endpointFrom: isBase ? (from.origins['otel.endpoint']?.variable ?? 'otel.endpoint') : own,
    isBase,
    insecure: from.choose({
      key: 'otel.insecure',
      flag: flags.insecure,
      names: names('INSECURE'),
      parse: parseBoolean,
      expected: 'true or false',
      file: file.insecure,
      fallback: false,
    }),
    protocol: protocol === 'grpc' ? 'http/protobuf' : protocol,
    headers: { ...file.headers, ...headers(sharedHeaders), ...headers(signalHeaders), ...flags.headers },
    timeoutMs: from.choose({
      names: names('TIMEOUT'),
      parse: parseWhole(1),
      expected: 'a whole number of milliseconds above 0',
      fallback: 10_000,
    }),
    compression: from.choose({
      names: names('COMPRESSION'),
      parse: parseOneOf(['gzip', 'none']),
      expected: 'gzip or none',
      fallback: 'none',
    }),
    certificate: pemFile('CERTIFICATE'),
    clientCertificate: pemFile('CLIENT_CERTIFICATE'),
    clientKey: pemFile('CLIENT_KEY'),
  };
};
