import { type PortKey, portKey } from '../../runtime/env.ts';
import type { LuaProgram } from '../../runtime/lua/engine.ts';

/** The programs of all code entries. Each library is compiled once, whoever imports it. */
export interface Programs {
  /** @throws CallError Internal when the entry does not load; its problems say why. */
  get(id: string): LuaProgram;
}
export const PROGRAMS: PortKey<Programs> = portKey('programs');
