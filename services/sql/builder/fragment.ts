import { type LuaClass, LuaRaise } from '../../../runtime/lua/engine.ts';
import { hostObject, isLuaString, type LuaValue } from '../../../runtime/lua/values.ts';
import { NULL, TypedValue } from '../values.ts';

/** A piece of a statement, its placeholders as `?`. */
export interface Fragment {
  readonly text: string;
  /** Scalars and typed values only. */
  readonly args: readonly LuaValue[];
}
/** What becomes a fragment when the whole statement is written. */
export abstract class Part {
  /** @throws CallError Invalid for what is incomplete. */
  abstract render(): Fragment;
}

/** Values of a statement: scalars and typed ones; anything else is NULL (lua/sql.md, section 7). */
export const argumentValue = (value: LuaValue): LuaValue => {
  if (typeof value === 'boolean' || typeof value === 'number' || isLuaString(value)) return value;
  return (value as unknown) instanceof TypedValue ? value : (NULL as unknown as LuaValue);
};
export const isNull = (value: LuaValue): boolean => (value as unknown as TypedValue).param === null;

/** Quoted text and comments hold no placeholders; `??` is a question mark that is none. */
const PLACEHOLDERS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?\??/g;

/** A text with its arguments; one that is itself a part (`expr("a IN (?)", select)`) takes the place of its `?`. */
export const fragmentOf = (text: string, args: readonly LuaValue[]): Fragment => {
  if (!args.some((arg) => (arg as unknown) instanceof Part)) return { text, args: args.map(argumentValue) };
  const out: LuaValue[] = [];
  let at = 0;
  const replaced = text.replace(PLACEHOLDERS, (token) => {
    if (token !== '?') return token;
    const arg = args[at] as unknown;
    at += 1;
    if (!(arg instanceof Part)) {
      out.push(argumentValue(arg as LuaValue));
      return '?';
    }
    const inner = arg.render();
    out.push(...inner.args);
    return inner.text;
  });
  return { text: replaced, args: out };
};

/** Without those that say nothing: `where('')` is none. */
export const written = (parts: readonly Part[]): readonly Fragment[] =>
  parts.map((part) => part.render()).filter(({ text }) => text !== '');

export const joined = (fragments: readonly Fragment[], separator: string): Fragment => ({
  text: fragments.map(({ text }) => text).join(separator),
  args: fragments.flatMap(({ args }) => args),
});

/** `builder.question` and the others. */
export class PlaceholderFormat {
  readonly [hostObject] = true as const;
  readonly name: string;
  /** Before the number; undefined: `?` without a number. */
  readonly mark: string | undefined;
  constructor(name: string, mark: string | undefined) {
    this.name = name;
    this.mark = mark;
  }
}
export const QUESTION = new PlaceholderFormat('question', undefined);
export const DOLLAR = new PlaceholderFormat('dollar', '$');
export const AT = new PlaceholderFormat('at', '@p');
export const COLON = new PlaceholderFormat('colon', ':');
export const placeholderFormatClass: LuaClass<PlaceholderFormat> = {
  name: 'sql.PlaceholderFormat',
  constructor: PlaceholderFormat,
  methods: {},
  tostring: ({ name }) => name,
};

export const withPlaceholders = ({ text, args }: Fragment, { mark }: PlaceholderFormat): Fragment => {
  if (mark === undefined) return { text, args };
  let n = 0;
  const numbered = text.replace(PLACEHOLDERS, (token) => {
    if (token === '??') return '?';
    if (token !== '?') return token;
    n += 1;
    return `${mark}${n}`;
  });
  return { text: numbered, args };
};

const shown = (value: LuaValue): string => {
  if (!((value as unknown) instanceof TypedValue)) return String(value);
  const { param } = value as unknown as TypedValue;
  return param === null ? 'NULL' : String(param);
};
export const argsText = (args: readonly LuaValue[]): string => `[Args: ${args.map(shown).join(', ')}]`;

export const raiseType = (position: number, name: string, expected: string): never => {
  throw new LuaRaise(`bad argument #${position} to '${name}' (${expected} expected)`);
};
