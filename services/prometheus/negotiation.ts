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
  header.split(',').flatMap((item) => {
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
  readonly contentType: string;
}

const TEXT_004: TextType = { format: 'text', contentType: 'text/plain; version=0.0.4; charset=utf-8' };
const openMetricsType = (version: string): TextType => ({
  format: 'openmetrics',
  contentType: `application/openmetrics-text; version=${version}; charset=utf-8`,
});

/** What an item of `Accept` means here; undefined when it is a type that we do not have. */
const typeOf = ({ value, parameters }: Weighted): TextType | undefined => {
  const version = parameters.get('version');
  if (value === 'application/openmetrics-text') {
    if (version === undefined || version === '1.0.0') return openMetricsType('1.0.0');
    return version === '0.0.1' ? openMetricsType(version) : undefined;
  }
  // 1.0.0 allows names in UTF-8; ours never need it, so 0.0.4 says the same.
  if (value === 'text/plain')
    return version === undefined || ['0.0.4', '1.0.0'].includes(version) ? TEXT_004 : undefined;
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
