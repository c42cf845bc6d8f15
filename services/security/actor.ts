import type { LuaClass } from '../../runtime/lua/engine.ts';
import { hostObject, type LuaTable } from '../../runtime/lua/values.ts';
import type { Actor } from './port.ts';

/** Lua gets a copy of `meta` each time. */
export class SecurityActor implements Actor {
  readonly [hostObject] = true as const;
  readonly id: string;
  readonly meta: LuaTable;
  constructor(id: string, meta: LuaTable) {
    this.id = id;
    this.meta = meta;
  }
}

export const actorClass: LuaClass<SecurityActor> = {
  name: 'security.Actor',
  constructor: SecurityActor,
  methods: { id: (self) => [self.id], meta: (self) => [self.meta] },
  tostring: (self) => `security.Actor{id=${self.id}}`,
};
