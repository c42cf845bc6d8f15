import { test } from 'tap';
import type { Next } from '../../../runtime/call.ts';
import type { Env } from '../../../runtime/env.ts';
import { handler } from '../http/fake-env.ts';
import { startServer } from '../http/start-server.ts';
import { W3C_CASES, W3C_TRACE_ID } from './w3c-cases.ts';

type Headers = Readonly<Record<string, string>>;

/** What requests to other services would carry: each has a client span of its own. */
const outgoing = (env: Env): Next<undefined, Headers> =>
  env.site(
    {
      surface: 'http.client',
      operation: 'request',
      target: 'app:out',
      span: { name: 'GET', kind: 'client', attributes: {} },
    },
    (call) => {
      const headers: Record<string, string> = {};
      env.propagator.inject(call.context, (name, value) => {
        headers[name] = value;
      });
      return headers;
    },
  );

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-0[0-3]$/;
const isOfRequest = (traceId: string, headers: readonly string[]): boolean =>
  headers.some((value) => value.includes(traceId));

for (const [name, requests] of Object.entries(W3C_CASES)) {
  test(`W3C Trace Context: ${name}`, async (t) => {
    const sent: Headers[] = [];
    const handle = handler(async (_lua, context) => {
      const send = outgoing(app.env);
      for (let i = 0; i < 3; i++) sent.push(await send({ input: undefined, context }));
    });
    const app = await startServer(t, { 'GET /': handle });
    for (const { headers, trace, state } of requests) {
      sent.length = 0;
      const wire = ['host', app.address, ...headers];
      await app.send('GET', '/', { headers: wire });
      t.equal(sent.length, 3, 'the handler ran');
      const parents = new Set<string>();
      for (const out of sent) {
        const [, traceId = '', parentId = ''] = TRACEPARENT.exec(out.traceparent ?? '') ?? [];
        t.match(traceId, /./, `valid: ${out.traceparent}`);
        if (trace === 'same') t.equal(traceId, W3C_TRACE_ID, headers.join(' '));
        else t.notOk(isOfRequest(traceId, headers), headers.join(' '));
        t.notOk(isOfRequest(parentId, headers), 'another parent');
        parents.add(parentId);
        if (state !== undefined) t.equal(out.tracestate ?? '', state.join(), headers.join(' '));
      }
      t.equal(parents.size, 3);
    }
  });
}
