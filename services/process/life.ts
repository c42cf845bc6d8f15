import type { CallContext } from '../../runtime/context.ts';
import { asCallError } from '../../runtime/errors.ts';
import type { LuaInstance, LuaLimits } from '../../runtime/lua/engine.ts';
import type { HostValue, LuaValue } from '../../runtime/lua/values.ts';
import type { Actor } from './actor.ts';
import type { ActorTable } from './actor-table.ts';

/** A process from its spawn to its end: what its site is called with. */
export interface Life {
  readonly actor: Actor;
  readonly instance: LuaInstance;
  readonly args: readonly HostValue[];
  readonly limits: LuaLimits;
  readonly onTurn: (ms: number) => void;
}

/** Runs `main` in the context of the life's span. Its end, also one that was forced, reaches the actor's `onExit`. */
export const runLife = (life: Life, context: CallContext, table: ActorTable): void => {
  const { actor, instance, args, limits } = life;
  if (!actor.isAlive) return; // ended before it ran
  const begin = async (): Promise<void> => {
    try {
      await instance.call({
        args,
        context,
        pid: actor.pid,
        entryId: actor.entryId,
        limits,
        onStart: (run) => {
          actor.run = run;
          // At once: until the promise is told, others run, who would still write to it.
          run.defer((outcome) => table.end(actor, outcome));
        },
        onTurn: life.onTurn,
      });
    } catch (error) {
      // It could not even start; the end of what did is told already.
      table.end(actor, { error: asCallError(error) });
    }
  };
  void begin();
};

/** Resolves or rejects with how the life ends. */
export const lifeEnd = ({ actor }: Life): Promise<LuaValue> =>
  new Promise((resolve, reject) => {
    actor.onExit.push(({ value, error }) => (error === undefined ? resolve(value) : reject(error)));
  });
