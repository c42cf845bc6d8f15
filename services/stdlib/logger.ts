import { type HostData, hostDataOf } from '../../runtime/codec/host-data.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { LogFields, Logger, LogLevel } from '../../runtime/logger.ts';
import { tableArgument, textArgument } from '../../runtime/lua/arguments.ts';
import { type HostMethod, type LuaClass, type LuaModule, LuaRaise } from '../../runtime/lua/engine.ts';
import { hostObject, isLuaString, type LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';
import { sourceFields } from './source-line.ts';

/** What `require("logger")` gives, and each `with` and `named` makes anew. */
export class LuaLogger {
  readonly [hostObject] = true as const;
  readonly lines: Logger;
  /** Names given by `named`, joined with `.`; empty at first. */
  readonly name: string;
  constructor(lines: Logger, name: string) {
    this.lines = lines;
    this.name = name;
  }
}

const write =
  (level: LogLevel): HostMethod<LuaLogger> =>
  (self, thread, args) => {
    const message = textArgument(args, 1, level);
    const fields = args.length < 2 ? undefined : tableArgument(args, 2, level); // an explicit nil raises as well
    if (!self.lines.enabled(level)) return;
    const own = { ...(fields === undefined ? undefined : fieldsOf(fields)), ...sourceFields(thread) };
    self.lines[level](message, own, thread.context);
  };

/** String keys only. Never fails: what cannot be told (a cycle) is told as the reason. */
const fieldsOf = (table: LuaTable): LogFields => {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of table.map) if (isLuaString(key)) fields[textOf(key)] = fieldValue(value);
  return fields;
};

const fieldValue = (value: LuaValue): unknown => {
  try {
    return shown(hostDataOf(value));
  } catch (error) {
    return `[${messageOf(error)}]`;
  }
};

/** Lines are text: bytes that are no UTF-8 become U+FFFD, at any depth. */
const shown = (data: HostData): unknown => {
  if (typeof data !== 'object' || data === null) return data;
  if (data instanceof Uint8Array) return textOf(data);
  if (Array.isArray(data)) return data.map(shown);
  return Object.fromEntries(Object.entries(data).map(([key, member]) => [key, shown(member)]));
};

/** The methods of Logger objects (lua/logger.md). */
export const loggerClass: LuaClass<LuaLogger> = {
  name: 'logger.Logger',
  constructor: LuaLogger,
  methods: {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (self, _thread, args) => [
      new LuaLogger(self.lines.child(fieldsOf(tableArgument(args, 1, 'with'))), self.name),
    ],
    named: (self, _thread, args) => {
      const part = textArgument(args, 1, 'named');
      if (part === '') throw new LuaRaise('name cannot be empty');
      const name = self.name === '' ? part : `${self.name}.${part}`;
      return [new LuaLogger(self.lines.child({ logger: name }), name)];
    },
  },
};

/** The module `logger` is itself a Logger object; its lines are those of the subsystem `lua`. */
export const loggerModule = (logger: Logger): LuaModule => ({
  name: 'logger',
  object: new LuaLogger(logger.subsystem('lua'), ''),
});
