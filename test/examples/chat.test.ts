import { test } from 'tap';
import { openEventStream } from '../harness/event-stream.ts';
import { startOtlpCollector } from '../harness/otlp-collector.ts';
import { poll } from '../harness/poll.ts';
import { type Program, type ProgramOptions, startProgram } from '../harness/program.ts';
import { total } from '../harness/prometheus-text.ts';
import type { Scope } from '../harness/teardown.ts';

const startChat = async (scope: Scope, options: ProgramOptions = {}) => {
  const app = await startProgram(scope, 'examples/chat', { ports: ['CHAT_PORT'], ...options });
  const url = (path: string): string => app.url('CHAT_PORT', path);
  return {
    app,
    enter: (room: string, name: string) => openEventStream(scope, url(`/rooms/${room}/events?name=${name}`)),
    say: async (room: string, from: string, text: string): Promise<number> => {
      const body = JSON.stringify({ from, text });
      return (await fetch(url(`/rooms/${room}/messages`), { method: 'POST', body })).status;
    },
    get: (path: string): Promise<Response> => fetch(url(path)),
  };
};
const rowsOf = (app: Program) => async (name: string, labels?: Readonly<Record<string, string>>) =>
  total(await app.scrape(), name, labels);

test('the chat: who is here, and every message to everybody in its order', async (t) => {
  const { app, enter, say, get } = await startChat(t);
  const row = rowsOf(app);
  const ada = await enter('tea', 'ada');
  await ada.received(1);
  const bob = await enter('tea', 'bob');
  await bob.received(1);
  const eve = await enter('coffee', 'eve');
  await eve.received(1);
  t.equal(await row('wippy_http_streams_active', { kind: 'sse' }), 3);
  t.equal(await row('wippy_process_active'), 3, 'the moderator and two rooms');
  t.same(
    ((await (await get('/rooms')).json()) as { rooms: unknown[] }).rooms,
    [
      { room: 'coffee', here: ['eve'] },
      { room: 'tea', here: ['ada', 'bob'] },
    ],
    'who is where',
  );

  const texts = Array.from({ length: 20 }, (_, i) => `message ${i + 1}`);
  for (const text of texts) t.equal(await say('tea', 'bob', text), 202);
  await ada.received(22);
  await bob.received(21);
  const messages = texts.map((text, i) => ({ name: 'message', data: { number: i + 1, from: 'bob', text } }));
  t.same(ada.events, [
    { name: 'joined', data: { name: 'ada', here: ['ada'] } },
    { name: 'joined', data: { name: 'bob', here: ['ada', 'bob'] } },
    ...messages,
  ]);
  t.same(bob.events, [{ name: 'joined', data: { name: 'bob', here: ['ada', 'bob'] } }, ...messages]);
  t.same(eve.events, [{ name: 'joined', data: { name: 'eve', here: ['eve'] } }], 'the other room hears nothing');

  bob.close();
  await ada.received(23);
  t.same(ada.events.at(-1), { name: 'left', data: { name: 'bob', here: ['ada'] } }, 'who disconnects has left');
  t.equal(await say('tea', 'ada', 'anybody? :('), 202);
  await ada.received(24);
  t.same(ada.events.at(-1), { name: 'message', data: { number: 21, from: 'ada', text: 'anybody? 🙁' } });

  ada.close();
  eve.close();
  await poll('rooms close behind the last', async () => (await row('wippy_process_active')) === 1);
  t.equal(await row('wippy_http_streams_active', { kind: 'sse' }), 0);
  t.equal(await row('wippy_function_in_flight', { function_id: 'chat:follow' }), 0);
  t.equal(await row('wippy_process_terminated_total', { result: 'completed' }), 2);
  t.same(await (await get('/rooms')).json(), { rooms: [] });

  t.equal(await say('tea', 'ada', 'nobody is here'), 202);
  await poll('a room that nobody is in closes again', async () => {
    return (await row('wippy_process_terminated_total', { result: 'completed' })) === 3;
  });
  t.equal((await get('/rooms/tea/events')).status, 400, 'without a name');
  t.equal(await say('tea', 'ada', undefined as unknown as string), 400);
  t.equal((await app.stop()).code, 0);
});

test('the chat: a moderator who falls over is started again, and rooms go on meanwhile', async (t) => {
  const { app, enter, say } = await startChat(t);
  const row = rowsOf(app);
  const ada = await enter('tea', 'ada');
  await say('tea', 'ada', 'oh drat');
  await ada.received(3);
  const notice = { name: 'notice', data: { text: 'ada, mind your words' } };
  t.same(ada.events.at(-1), notice, 'who is moderated');
  t.equal(await row('wippy_process_restarts_total', { service: 'chat:moderation' }), undefined, 'no restart so far');

  await say('tea', 'ada', 'kaboom');
  await poll('it has failed', async () => (await row('wippy_process_terminated_total', { result: 'error' })) === 1);
  await say('tea', 'ada', 'drat, is somebody there?');
  await ada.received(5);
  t.match(ada.events[4], { name: 'message', data: { number: 3 } }, 'messages arrive without a moderator');
  await poll('it is there again', async () => {
    return (await row('wippy_process_restarts_total', { service: 'chat:moderation' })) === 1;
  });
  await poll('it moderates', async () => {
    await say('tea', 'ada', 'drat again');
    return ada.events.at(-1)?.name === 'notice';
  });
  t.same(ada.events.at(-1), notice);
  t.equal(await row('wippy_process_active'), 2, 'it and the room');

  const stopped = await app.stop();
  t.equal(stopped.code, 0);
  t.ok(stopped.ms < 16_000, `streams do not hold the program up: ${Math.round(stopped.ms)} ms`);
  await ada.ended;
  t.match(app.output(), /chat:moderation has failed and is started again: moderator\.lua:14: /);
});

test('the chat: a message can be followed from its request into the room', async (t) => {
  const collector = await startOtlpCollector();
  t.teardown(() => collector.close());
  const { app, enter, say } = await startChat(t, { set: { 'otel.enabled': true, 'otel.endpoint': collector.url } });
  const ada = await enter('tea', 'ada');
  await ada.received(1);
  await say('tea', 'ada', 'hello :)');
  await ada.received(2);
  ada.close();
  await poll('the room is closed', async () => (await rowsOf(app)('wippy_process_active')) === 1);
  t.equal((await app.stop()).code, 0);

  const one = (name: string) => {
    const found = collector.spans({ name });
    t.equal(found.length, 1, name);
    return found[0] as (typeof found)[number];
  };
  const [room, send, follow, emoji] = [one('chat:room'), one('chat:send'), one('chat:follow'), one('chat:emoji')];
  t.equal(room.parentSpanId, '', "the room's life is a trace of its own");
  t.same(
    room.links.map(({ spanId }) => spanId),
    [follow.spanId],
    'linked to who started it',
  );
  t.equal(one('chat:room.started').parentSpanId, follow.spanId);
  t.equal(one('chat:room.terminated').parentSpanId, room.spanId);
  t.equal(emoji.parentSpanId, room.spanId, 'what the room does for a message belongs to the room');
  t.same(
    emoji.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
    [{ traceId: send.traceId, spanId: send.spanId }],
    'and is linked to the request that it came with',
  );
  t.equal(one('POST chat:send.endpoint').traceId, send.traceId);
});
