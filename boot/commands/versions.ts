import { systemClock } from '../../runtime/clock.ts';
import { fengariEngine } from '../../runtime/lua/fengari/engine.ts';
import { resourceAttributes } from '../../services/otel/resource.ts';
import { packageVersion } from '../version.ts';
import type { Terminal } from './terminal.ts';

/** `--version`: the program, Node.js, the OpenTelemetry SDK and the Lua engine, one a line. */
export const printVersions = ({ out }: Terminal): number => {
  const engine = fengariEngine({
    clock: systemClock(),
    print: () => {},
    onReleaseError: () => {},
    limits: { instructions: 0, cpuMs: 0, resultBytes: 0 },
  });
  out.write(`perilune ${packageVersion()}\n`);
  out.write(`node ${process.version}\n`);
  out.write(`otel ${String(resourceAttributes({})['telemetry.sdk.version'])}\n`);
  out.write(`lua ${engine.version}\n`);
  return 0;
};
