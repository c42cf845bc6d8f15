import { ESCAPING_SCHEMES, type EscapingScheme } from './name-escaping.ts';

/** One item of an `Accept` or `Accept-Encoding` header, with its parameters in lower case. */
interface Weighted {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly q: number;
}

const parseQ = (text: string | undefined): number => {
  if (text === undefined) return 1;
  // RFC 9110, section 12.4.2: at most 1, at most three decimals. What is none is not asked for.
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 0;
};

const parseWeighted = (header: string): readonly Weighted[] =>
  // A comma within quotes does not end an item (RFC 9110, section 5.6.4).
  (header.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? []).flatMap((item) => {
    const [value = '', ...rest] = item.split(';').map((part) => part.trim());
    if (value === '') return [];
    const parameters = new Map(
      rest.map((part) => {
        const [name = '', text = ''] = part.split('=').map((side) => side.trim());
        return [name.toLowerCase(), text.replace(/^"(.*)"$/, '$1').toLowerCase()] as const;
      }),
    );
    return [{ value: value.toLowerCase(), parameters, q: parseQ(parameters.get('q')) }];
  });

export interface TextType {
  readonly format: 'text' | 'openmetrics';
  readonly escaping: EscapingScheme;
  readonly contentType: string;
}

const MEDIA = { text: 'text/plain', openmetrics: 'application/openmetrics-text' } as const;

/** The scheme asked for; `underscores` for one that is unknown (prometheus.io/docs/instrumenting/escaping_schemes). */
const schemeOf = (text: string | undefined): EscapingScheme => {
  // The negotiation page of Prometheus' documentation spells it so (prometheus/docs#2747).
  if (text === 'allow-utf8') return 'allow-utf-8';
  return ESCAPING_SCHEMES.find((scheme) => scheme === text) ?? 'underscores';
};

const textType = (format: TextType['format'], version: string, escaping: string | undefined): TextType => {
  const isEarly = version !== '1.0.0';
  const asked = schemeOf(escaping);
  // Names in quotes came with 1.0.0 of both formats: a reader of an earlier one cannot read them.
  const scheme = isEarly && asked === 'allow-utf-8' ? 'underscores' : asked;
  const shown = isEarly && scheme === 'underscores' ? '' : `; escaping=${scheme}`;
  return { format, escaping: scheme, contentType: `${MEDIA[format]}; version=${version}; charset=utf-8${shown}` };
};
const TEXT_004 = textType('text', '0.0.4', undefined);

/** What an item of `Accept` means here; undefined when it is a type that we do not have. */
const typeOf = ({ value, parameters }: Weighted): TextType | undefined => {
  const version = parameters.get('version');
  const escaping = parameters.get('escaping');
  if (value === MEDIA.openmetrics) {
    if (version !== undefined && version !== '1.0.0' && version !== '0.0.1') return undefined;
    return textType('openmetrics', version ?? '1.0.0', escaping);
  }
  if (value === MEDIA.text) {
    if (version !== undefined && version !== '1.0.0' && version !== '0.0.4') return undefined;
    return textType('text', version ?? '0.0.4', escaping);
  }
  return value === 'text/*' || value === '*/*' ? TEXT_004 : undefined;
};

/** The format with the highest weight, the first of equals; text 0.0.4 when nothing that is asked for is ours. */
export const negotiateType = (accept: string | undefined): TextType => {
  let best: { type: TextType; q: number } | undefined;
  for (const item of parseWeighted(accept ?? '')) {
    const type = typeOf(item);
    if (type !== undefined && item.q > (best?.q ?? 0)) best = { type, q: item.q };
  }
  return best?.type ?? TEXT_004;
};

/** Whether gzip is asked for and not less welcome than plain bytes (RFC 9110, section 12.5.3). */
export const acceptsGzip = (acceptEncoding: string | undefined): boolean => {
  const weights = new Map(parseWeighted(acceptEncoding ?? '').map(({ value, q }) => [value, q]));
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0);
};
