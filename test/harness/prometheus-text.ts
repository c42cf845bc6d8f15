/** Reads Prometheus text 0.0.4 and OpenMetrics 1.0, strictly: what a scraper would refuse is an error here. */

export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestamp?: number;
}
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: Exemplar;
}
export interface Family {
  readonly name: string;
  type?: string;
  help?: string;
  unit?: string;
}
export interface Exposition {
  readonly families: ReadonlyMap<string, Family>;
  readonly samples: readonly Sample[];
  /** OpenMetrics ends with `# EOF`. */
  readonly hasEof: boolean;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/;
const META = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*)(?: (.*))?$/;
const VALUE = /^(NaN|[+-]?Inf|[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?\.\d+(?:[eE][+-]?\d+)?)$/;

const fail = (line: string, why: string): never => {
  throw new Error(`${why}: ${line}`);
};

const unescaped = (text: string): string =>
  text.replace(/\\([\\"n])/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));

const numberOf = (text: string, line: string): number => {
  if (!VALUE.test(text)) return fail(line, `'${text}' is no number`);
  return Number(text.replace(/Inf$/, 'Infinity'));
};

/** Reads `{a="b",...}` at the start of `text`; returns the labels and what follows. */
const readLabels = (text: string, line: string): { labels: Record<string, string>; rest: string } => {
  const labels: Record<string, string> = {};
  if (!text.startsWith('{')) return { labels, rest: text };
  let rest = text.slice(1);
  while (!rest.startsWith('}')) {
    const [whole, name = '', value = ''] = LABEL.exec(rest) ?? fail(line, 'bad label');
    if (Object.hasOwn(labels, name)) fail(line, `label '${name}' twice`);
    labels[name] = unescaped(value);
    rest = rest.slice(whole.length);
    if (rest.startsWith(',')) rest = rest.slice(1);
    else if (!rest.startsWith('}')) fail(line, 'bad label list');
  }
  return { labels, rest: rest.slice(1) };
};

const readExemplar = (text: string, line: string): Exemplar => {
  const { labels, rest } = readLabels(text, line);
  const [value = '', timestamp] = rest.trim().split(' ');
  return {
    labels,
    value: numberOf(value, line),
    ...(timestamp === undefined ? {} : { timestamp: numberOf(timestamp, line) }),
  };
};

const readSample = (line: string): Sample => {
  const name = NAME.exec(line)?.[0] ?? fail(line, 'bad metric name');
  const { labels, rest } = readLabels(line.slice(name.length), line);
  const [measured = '', exemplar] = rest.split(' # ');
  const [value = '', timestamp, ...more] = measured.trim().split(/ +/);
  if (more.length > 0) fail(line, 'text after the timestamp');
  if (timestamp !== undefined) numberOf(timestamp, line);
  return {
    name,
    labels,
    value: numberOf(value, line),
    ...(exemplar === undefined ? {} : { exemplar: readExemplar(exemplar, line) }),
  };
};

const readMeta = (line: string, families: Map<string, Family>): void => {
  const [, keyword, name = '', text = ''] = META.exec(line) ?? [];
  if (keyword === undefined) return; // a comment
  const key = keyword.toLowerCase() as 'help' | 'type' | 'unit';
  const family = families.get(name) ?? { name };
  if (family[key] !== undefined) fail(line, `a second ${keyword} of '${name}'`);
  family[key] = unescaped(text);
  families.set(name, family);
};

/** One text for one series: the name and its labels, sorted. */
export const seriesKey = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.keys(labels)
    .sort()
    .map((label) => `${label}=${JSON.stringify(labels[label])}`)
    .join(',')}}`;

/** @throws Error quoting the line: bad syntax, a series twice, a second HELP, TYPE or UNIT, text after `# EOF`. */
export const parsePrometheusText = (text: string): Exposition => {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end with a line feed');
  const families = new Map<string, Family>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  let hasEof = false;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (hasEof) fail(line, 'text after # EOF');
    if (line === '# EOF') hasEof = true;
    else if (line.startsWith('#')) readMeta(line, families);
    else {
      const sample = readSample(line);
      const key = seriesKey(sample.name, sample.labels);
      if (seen.has(key)) fail(line, 'a series twice');
      seen.add(key);
      samples.push(sample);
    }
  }
  return { families, samples, hasEof };
};

/** The samples of that name that carry at least these labels. */
export const select = (
  exposition: Exposition,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): readonly Sample[] =>
  exposition.samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );

/** The sum over `select`; undefined when there is no such series, which differs from 0. */
export const total = (
  exposition: Exposition,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined => {
  const found = select(exposition, name, labels);
  return found.length === 0 ? undefined : found.reduce((sum, sample) => sum + sample.value, 0);
};
