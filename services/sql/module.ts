import type { EntryRegistry } from '../../runtime/entry.ts';
import { invalid, notFound, permissionDenied, unavailable } from '../../runtime/errors.ts';
import { textArgument } from '../../runtime/lua/arguments.ts';
import type { HostFunction, LuaModule } from '../../runtime/lua/engine.ts';
import { failed } from '../../runtime/lua/results.ts';
import type { Allows } from '../security/port.ts';
import { builderConstants, builderFunctions } from './builder/module.ts';
import { DbHandle, hold, one } from './handles.ts';
import type { Databases } from './port.ts';
import { asFunctions, NULL } from './values.ts';

/** `sql.get(id)`: a handle that lives until the call ends (lua/sql.md, section 1). */
const get =
  (databases: Databases, registry: EntryRegistry, allows: Allows): HostFunction =>
  (thread, args) => {
    const id = textArgument(args, 1, 'get');
    if (id === '') return failed(invalid('resource id is required'));
    // Before the database is looked for: a denial tells nothing of what there is.
    if (!allows(thread.context, 'db.get', id)) return failed(permissionDenied(`not allowed to access database: ${id}`));
    const database = databases.get(id);
    if (database === undefined) {
      return failed(
        registry.get(id) === undefined ? notFound('resource not found') : invalid(`resource is not a database: ${id}`),
      );
    }
    if (!database.isRunning) return failed(unavailable(`database is not running: ${id}`));
    const handle: DbHandle = new DbHandle(
      database,
      hold(thread.run, () => {
        handle.isReleased = true;
      }),
    );
    return one(handle);
  };

export const sqlModule = (databases: Databases, registry: EntryRegistry, allows: Allows): LuaModule => ({
  name: 'sql',
  functions: { get: get(databases, registry, allows) },
  constants: {
    NULL,
    type: { POSTGRES: 'postgres', MYSQL: 'mysql', SQLITE: 'sqlite', UNKNOWN: 'unknown' },
    isolation: {
      DEFAULT: 'default',
      READ_UNCOMMITTED: 'read_uncommitted',
      READ_COMMITTED: 'read_committed',
      WRITE_COMMITTED: 'write_committed',
      REPEATABLE_READ: 'repeatable_read',
      SERIALIZABLE: 'serializable',
    },
  },
  tables: {
    as: { functions: asFunctions },
    builder: { functions: builderFunctions, constants: builderConstants },
  },
});
