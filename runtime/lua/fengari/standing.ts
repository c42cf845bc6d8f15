import { rootContext } from '../../context.ts';
import type { LuaCallRequest, LuaLimits } from '../engine.ts';
import { Coroutine } from './coroutine.ts';
import { Run } from './run.ts';
import type { Vm } from './vm.ts';

const NO_LIMITS: LuaLimits = { instructions: 0, cpuMs: 0, resultBytes: 0 };

/**
 * A coroutine of a run that never begins. Where no Run is left at a thorough collection of garbage (one that is asked for; V8's
 * usual ones are milder), V8 forgets their shape and throws away what it has compiled for it: all of the path of a call.
 */
export const standingCoroutine = (vm: Vm): Coroutine => {
  const request: LuaCallRequest = { args: [], context: rootContext, pid: '', entryId: '', limits: NO_LIMITS };
  const run = new Run(vm, request, { bound: new Map(), runEnded() {} });
  // Times are fractions: a field that has only held whole numbers makes another shape.
  run.cpuMs = 0.5;
  run.stretchStart = 0.5;
  run.turnStart = 0.5;
  run.lookedAt = 0.5;
  run.measuredAt = 0.5;
  return new Coroutine({}, run, rootContext);
};
