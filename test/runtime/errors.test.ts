import { test } from 'tap';
import {
  asCallError,
  CallError,
  canceled,
  DeclarationError,
  errorType,
  internal,
  invalid,
  messageOf,
  notFound,
  permissionDenied,
  renderProblem,
  StartError,
  telemetryMessageOf,
  unavailable,
} from '../../runtime/errors.ts';

test('a CallError carries kind, retryable, details, and its cause', async (t) => {
  const cause = new Error('socket closed');
  const error = new CallError('no', { kind: 'Unavailable', retryable: true, details: { host: 'a' }, cause });
  t.match(error, {
    name: 'CallError',
    message: 'no',
    kind: 'Unavailable',
    retryable: true,
    details: { host: 'a' },
    cause,
  });
  const plain = new CallError('no');
  t.same(
    [plain.kind, plain.retryable, plain.details, plain.frames, plain.contexts],
    ['', undefined, undefined, [], []],
  );
  t.equal(new CallError('no', { details: {} }).details, undefined, 'an empty object counts as none');
});

test('with replaces some and keeps the rest, the origin included', async (t) => {
  const error = new CallError('no', { kind: 'Timeout', retryable: true, details: { a: 1 }, telemetryKind: 'timeout' });
  const copy = error.with({ contexts: ['while reading'] });
  t.match(copy, { message: 'no', kind: 'Timeout', retryable: true, details: { a: 1 }, telemetryKind: 'timeout' });
  t.same(copy.contexts, ['while reading']);
  t.equal(copy.origin, error.origin, 'one failure, recorded once');
  t.not(new CallError('no').origin, error.origin);
});

test('the makers set the kind and whether another attempt makes sense', async (t) => {
  for (const [error, kind, retryable] of [
    [invalid('x'), 'Invalid', false],
    [notFound('x'), 'NotFound', false],
    [internal('x'), 'Internal', false],
    [internal('x', { retryable: true }), 'Internal', true],
    [unavailable('x'), 'Unavailable', true],
    [permissionDenied('x'), 'PermissionDenied', false],
    [canceled('x'), 'Canceled', false],
  ] as const) {
    t.same([error.kind, error.retryable, error.message], [kind, retryable, 'x']);
  }
});

test('anything that was thrown becomes a CallError; one that is, stays itself', async (t) => {
  const own = invalid('mine');
  t.equal(asCallError(own), own);
  const foreign = new TypeError('x is not a function');
  t.match(asCallError(foreign), { kind: 'Internal', message: 'x is not a function', cause: foreign, retryable: false });
  t.equal(asCallError('text').message, 'text');
  t.equal(messageOf(undefined), 'undefined');
  t.same(
    [errorType(own), errorType(foreign), errorType(new CallError('no kind'))],
    ['Invalid', 'Internal', 'Internal'],
  );
});

test('problems are told as file:line:col: path: text, with what is known of them', async (t) => {
  const problem = { file: 'a.yaml', path: 'entries[0].kind', message: 'no', severity: 'error' } as const;
  t.equal(renderProblem({ ...problem, line: 3, column: 5 }), 'a.yaml:3:5: entries[0].kind: no');
  t.equal(renderProblem({ ...problem, line: 3 }), 'a.yaml:3: entries[0].kind: no');
  t.equal(renderProblem({ ...problem, path: '' }), 'a.yaml: no');
  const all = new DeclarationError([problem, { ...problem, path: 'b', message: 'nor that' }]);
  t.equal(all.message, 'a.yaml: entries[0].kind: no\na.yaml: b: nor that');
  t.equal(new StartError('in use', problem).cause, problem);
  t.notOk('cause' in new StartError('in use'));
});

test('rule 75: telemetry says something else where a message may quote data, also in what wraps it', async (t) => {
  const own = internal('bad value "x"', { telemetryMessage: 'SQLSTATE 22P02' });
  t.equal(own.message, 'bad value "x"');
  t.equal(telemetryMessageOf(own), 'SQLSTATE 22P02');
  t.equal(telemetryMessageOf(own.with({ kind: 'Timeout' })), 'SQLSTATE 22P02', 'copies keep it');
  t.equal(telemetryMessageOf(internal(`failed: ${own.message}.`, { cause: own })), 'failed: SQLSTATE 22P02.');
  t.equal(telemetryMessageOf(new Error(own.message, { cause: internal('x', { cause: own }) })), 'SQLSTATE 22P02');
  t.equal(telemetryMessageOf(internal('plain', { cause: own })), 'plain');
  t.equal(telemetryMessageOf(own.with({ telemetryMessage: undefined })), own.message, 'and can be given up');
  t.equal(telemetryMessageOf('text'), 'text');
  const circle = new Error('round');
  circle.cause = circle;
  t.equal(telemetryMessageOf(circle), 'round');
});
