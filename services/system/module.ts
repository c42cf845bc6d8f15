import { exitCodeOf } from '../../runtime/exit-code.ts';
import { numberArgument } from '../../runtime/lua/arguments.ts';
import type { LuaModule } from '../../runtime/lua/engine.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import type { Supervisor } from '../../runtime/supervision.ts';
import type { Processes } from '../process/port.ts';
import { clusterTables } from './cluster.ts';
import { type Allows, permitBy, permitted } from './guard.ts';
import { processTable, runtimeTable } from './machine.ts';
import { gcTable, memoryTable } from './memory.ts';
import { moduleList } from './modules.ts';
import { hostsTable, supervisorTable } from './supervision.ts';

export interface SystemOptions {
  readonly allows: Allows;
  /** The node's name; never empty. */
  readonly node: string;
  readonly moduleNames: () => Iterable<string>;
  readonly supervisor: () => Supervisor;
  /** Undefined where no process surface is. */
  readonly processes: () => Processes | undefined;
}

/** As a result of `main` would be. */
const exitCode = (args: readonly LuaValue[]): number =>
  args[0] === undefined ? 0 : exitCodeOf(numberArgument(args, 1, 'exit'));

/** The Lua module `system` (lua/system.md). */
export const systemModule = ({ allows, node, moduleNames, supervisor, processes }: SystemOptions): LuaModule => {
  const permit = permitBy(allows);
  return {
    name: 'system',
    functions: {
      modules: permitted(permit, 'system.read', 'modules', () => moduleList(moduleNames())),
      exit: permitted(permit, 'system.exit', 'exit', (args) => {
        supervisor().exit(exitCode(args));
        return true;
      }),
    },
    tables: {
      memory: memoryTable(permit),
      gc: gcTable(permit),
      runtime: runtimeTable(permit),
      process: processTable(permit),
      supervisor: supervisorTable(permit, supervisor),
      hosts: hostsTable(permit, processes),
      ...clusterTables(permit, node),
    },
  };
};
