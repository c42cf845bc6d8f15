import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import * as prom from 'prom-client';
import { luaAdd } from './add.ts';
import { measured } from './metrics.ts';
import { startTracing } from './tracing.ts';

export type Add = (a: number, b: number) => number;

/** The Lua function inside a span of the SDK and metrics of prom-client. */
export const tracedAdd = (endpoint: string, ratio: number): Add => {
  const add = luaAdd();
  const { tracer } = startTracing(endpoint, ratio);
  const begin = measured(new prom.Registry(), {
    name: 'function_calls',
    labels: { function_id: 'bench:add' },
    outcome: 'status',
  });
  const options = {
    kind: SpanKind.SERVER,
    attributes: { 'faas.name': 'bench:add', 'code.function.name': 'main', 'code.file.path': 'add.lua' },
  };
  return (a, b) => {
    const settle = begin();
    return tracer.startActiveSpan('bench:add', options, (span) => {
      try {
        const sum = add(a, b);
        settle('success');
        return sum;
      } catch (error) {
        span.recordException(error as Error);
        span.setStatus({ code: SpanStatusCode.ERROR });
        settle('error');
        throw error;
      } finally {
        span.end();
      }
    });
  };
};
