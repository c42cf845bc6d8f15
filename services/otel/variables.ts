/** The environment as a settings reader sees it: an empty variable counts as unset. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Where an effective value came from, for `validate --explain`. */
export interface Origin {
  readonly value: unknown;
  readonly from: 'default' | 'file' | 'environment' | 'flag';
  readonly variable?: string;
}

export interface Choice<T> {
  /** The key of the boot file (`otel.endpoint`); undefined for what only a variable can set. */
  readonly key?: string;
  readonly flag?: T | undefined;
  /** Variables that can set it, the most specific first. */
  readonly names: readonly string[];
  /** Undefined when the text is not a valid value. */
  readonly parse: (text: string) => T | undefined;
  /** What a valid value is: `a whole number of milliseconds`. */
  readonly expected: string;
  readonly file?: T | undefined;
  readonly fallback: T;
  /** The value is not shown in warnings. */
  readonly isSecret?: boolean;
}

/** Chooses one value: flag over variables over file over default; each invalid variable on the way gives one warning. */
export interface Chooser {
  choose<T>(choice: Choice<T>): T;
  warn(text: string): void;
  /** Notes the origin of a value that was not chosen by `choose`. */
  note(key: string, origin: Origin): void;
  readonly warnings: readonly string[];
  readonly origins: Readonly<Record<string, Origin>>;
}

export const textOf = (variables: Variables, name: string): string | undefined => {
  const text = variables[name]?.trim();
  return text === '' ? undefined : text;
};

export const chooser = (variables: Variables): Chooser => {
  const warnings = new Set<string>(); // one variable may be read for two signals
  const origins: Record<string, Origin> = {};

  const fromVariables = <T>(choice: Choice<T>, invalid: string[]): { value: T; variable: string } | undefined => {
    for (const variable of choice.names) {
      const text = textOf(variables, variable);
      if (text === undefined) continue;
      const value = choice.parse(text);
      if (value !== undefined) return { value, variable };
      invalid.push(variable);
    }
    return undefined;
  };

  return {
    choose(choice) {
      const invalid: string[] = [];
      let origin: Origin & { value: typeof choice.fallback };
      if (choice.flag !== undefined) origin = { value: choice.flag, from: 'flag' };
      else {
        const found = fromVariables(choice, invalid);
        if (found !== undefined) origin = { ...found, from: 'environment' };
        else if (choice.file !== undefined) origin = { value: choice.file, from: 'file' };
        else origin = { value: choice.fallback, from: 'default' };
      }
      const used = choice.isSecret === true || origin.value === undefined ? 'nothing' : JSON.stringify(origin.value);
      for (const name of invalid) {
        const given = choice.isSecret === true ? 'its value (not shown)' : `'${textOf(variables, name)}'`;
        warnings.add(`${name}: ${given} is not ${choice.expected}; ${used} is used instead`);
      }
      const key = choice.key ?? origin.variable;
      if (key !== undefined) origins[key] = choice.isSecret === true ? { ...origin, value: '(not shown)' } : origin;
      return origin.value;
    },
    warn: (text) => void warnings.add(text),
    note: (key, origin) => {
      origins[key] = origin;
    },
    get warnings() {
      return [...warnings];
    },
    origins,
  };
};

/** True only for `true`; `false` is as if unset; anything else is invalid (OTel environment variables, "Boolean value"). */
export const parseBoolean = (text: string): boolean | undefined => {
  const lower = text.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
};

export const parseWhole =
  (least: number) =>
  (text: string): number | undefined => {
    const value = Number(text);
    return /^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least ? value : undefined;
  };

/** Enumerations are compared without regard to case. */
export const parseOneOf =
  <T extends string>(values: readonly T[]) =>
  (text: string): T | undefined =>
    values.find((value) => value === text.toLowerCase());

export const parseRatio = (text: string): number | undefined => {
  const value = Number(text);
  return value >= 0 && value <= 1 ? value : undefined;
};

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return undefined; // a stray `%`: the caller says which variable is wrong
  }
};

/** `key=value,key2=value2`, percent-encoded; undefined when any member is malformed: the whole variable is then not used. */
export const parsePairs = (text: string): Readonly<Record<string, string>> | undefined => {
  const pairs: Record<string, string> = {};
  for (const member of text.split(',')) {
    if (member.trim() === '') continue;
    const equals = member.indexOf('=');
    const key = equals === -1 ? undefined : decode(member.slice(0, equals));
    const value = decode(member.slice(equals + 1));
    if (key === undefined || key === '' || value === undefined) return undefined;
    pairs[key] = value;
  }
  return pairs;
};

/** A comma list, without blanks and repetitions, in lower case. */
export const parseList = (text: string): readonly string[] => [
  ...new Set(
    text
      .toLowerCase()
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ),
];
