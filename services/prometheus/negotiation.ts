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

/** The pieces of a header; within quotes nothing ends one (RFC 9110, section 5.6.4). In one pass: anybody may send a header. */
const piecesOf = (header: string, separator: ',' | ';'): readonly string[] => {
  const pieces: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let i = 0; i < header.length; i += 1) {
    const char = header[i];
    if (isQuoted && char === '\\') i += 1;
    else if (char === '"') isQuoted = !isQuoted;
    else if (char === separator && !isQuoted) {
      pieces.push(header.slice(from, i));
      from = i + 1;
    }
  }
  pieces.push(header.slice(from));
  return pieces;
};

const parseWeighted = (header: string): readonly Weighted[] =>
  piecesOf(header, ',').flatMap((item) => {
    const [value = '', ...rest] = piecesOf(item, ';').map((part) => part.trim());
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
/** What a range such as `text/*` may stand for, the first that it takes. */
const BY_RANGE = [TEXT_004, textType('openmetrics', '1.0.0', undefined)] as const;

const isRange = ({ value }: Weighted): boolean => value.endsWith('/*');

/** What an item of `Accept` means here; undefined when it is a type that we do not have. `refused`: by their own names. */
const typeOf = (item: Weighted, refused: ReadonlySet<string>): TextType | undefined => {
  const { value, parameters } = item;
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
  if (!isRange(item)) return undefined;
  const start = value === '*/*' ? '' : value.slice(0, -1);
  return BY_RANGE.find(({ format }) => MEDIA[format].startsWith(start) && !refused.has(MEDIA[format]));
};

/**
 * The format with the highest weight; of equals one that is named before one that a range stands for (RFC 9110, section
 * 12.5.1), then the first. Text 0.0.4 when nothing that is asked for is ours.
 */
export const negotiateType = (accept: string | undefined): TextType => {
  const items = parseWeighted(accept ?? '');
  const refused = new Set(
    items.filter(({ q, parameters }) => q === 0 && !parameters.has('version')).map(({ value }) => value),
  );
  let best: { type: TextType; q: number; isNamed: boolean } | undefined;
  for (const item of items) {
    const type = item.q > 0 ? typeOf(item, refused) : undefined;
    if (type === undefined) continue;
    const isNamed = !isRange(item);
    const isBetter = best === undefined || item.q > best.q || (item.q === best.q && isNamed && !best.isNamed);
    if (isBetter) best = { type, q: item.q, isNamed };
  }
  return best?.type ?? TEXT_004;
};

/** Whether gzip is asked for and not less welcome than plain bytes (RFC 9110, section 12.5.3). */
export const acceptsGzip = (acceptEncoding: string | undefined): boolean => {
  const weights = new Map(parseWeighted(acceptEncoding ?? '').map(({ value, q }) => [value, q]));
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0);
};
