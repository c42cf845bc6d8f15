import { invalid, permissionDenied } from '../../runtime/errors.ts';
import { badArgument, textArgument } from '../../runtime/lua/arguments.ts';
import type { HostFunction, LuaModule } from '../../runtime/lua/engine.ts';
import { resultsOf } from '../../runtime/lua/results.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import type { Allows } from '../security/port.ts';
import { type CdcSource, sourceInfo } from './source.ts';
import { ChangeStream, type StreamEnv } from './stream.ts';
import { streamOptions } from './stream-options.ts';

export interface CdcModuleOptions extends StreamEnv {
  /** Ordered by id. */
  readonly sources: readonly CdcSource[];
  readonly allows: Allows;
}

/** @throws CallError Invalid for the empty text; a LuaRaise for another type, a number too (lua/cdc.md, section 1). */
const sourceName = (args: readonly LuaValue[], call: string): string => {
  if (typeof args[0] === 'number') throw badArgument(1, call, 'string', args[0]);
  const name = textArgument(args, 1, call);
  if (name === '') throw invalid('source name is required');
  return name;
};

/** The entry's id where there is one: policies are written for ids. */
const idOf = ({ find }: StreamEnv, name: string): string => find(name)?.id ?? name;

const source =
  (options: CdcModuleOptions): HostFunction =>
  ({ context }, args) =>
    resultsOf(
      () => {
        const name = sourceName(args, 'source');
        const id = idOf(options, name);
        if (!options.allows(context, 'cdc.source', id)) throw permissionDenied(`not allowed to cdc.source: ${id}`);
        return options.find(name);
      },
      (found) => [found === undefined ? undefined : sourceInfo(found), undefined],
    );

const stream =
  (options: CdcModuleOptions): HostFunction =>
  ({ context, run }, args) =>
    resultsOf(
      () => {
        const name = sourceName(args, 'stream');
        const wanted = streamOptions(args[1]);
        const id = idOf(options, name);
        if (!options.allows(context, 'cdc.subscribe', id)) {
          throw permissionDenied(`not allowed to cdc.subscribe: ${id}`);
        }
        return new ChangeStream(options, run, name, wanted);
      },
      (opened) => [opened, undefined],
    );

/** lua/cdc.md. */
export const cdcModule = (options: CdcModuleOptions): LuaModule => ({
  name: 'cdc',
  functions: {
    list_sources: ({ context }) => [
      options.sources.filter(({ id }) => options.allows(context, 'cdc.source', id)).map(sourceInfo),
      undefined,
    ],
    source: source(options),
    stream: stream(options),
  },
});
