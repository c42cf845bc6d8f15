import { test } from 'tap';
import { parsePattern } from '../../../services/http/pattern.ts';
import { type Route, router } from '../../../services/http/router.ts';

const route = (text: string): Route => {
  const [method = '', path = ''] = text.split(' ');
  const pattern = parsePattern(path);
  if (typeof pattern === 'string') throw new Error(pattern);
  return { id: text, method, pattern, func: 'app:f' };
};
const ask = (routes: readonly string[]) => {
  const table = router(routes.map(route));
  return (method: string, path: string, query = '') => table.find(method, path, query);
};

test('the most specific route wins, in whatever order they are declared', async (t) => {
  const routes = [
    'GET /a/{x}',
    'GET /a/b',
    'GET /',
    'GET /a/',
    'GET /a/b/{rest...}',
    'GET /{y}/b',
    'GET /c/{$}',
    'GET /c/',
  ];
  for (const order of [routes, [...routes].reverse()]) {
    const find = ask(order);
    const winner = (path: string) => find('GET', path).route?.id;
    t.equal(winner('/a/b'), 'GET /a/b');
    t.equal(winner('/a/q'), 'GET /a/{x}');
    t.equal(winner('/a/'), 'GET /a/', 'a parameter is never empty');
    t.equal(winner('/a/q/r'), 'GET /a/');
    t.equal(winner('/a/b/c/d'), 'GET /a/b/{rest...}');
    t.equal(winner('/z/b'), 'GET /{y}/b');
    t.equal(winner('/z'), 'GET /');
    t.equal(winner('/c/'), 'GET /c/{$}');
    t.equal(winner('/c/x'), 'GET /c/');
  }
});

test('parameters arrive decoded under their own names; a rest is not offered', async (t) => {
  const find = ask(['GET /o/{id}/i/{item}', 'DELETE /o/:order/i/:item', 'GET /f/{rest...}']);
  const params = (method: string, path: string) => {
    const found = find(method, path);
    return found.route === undefined ? undefined : Object.fromEntries(found.params);
  };
  t.same(params('GET', '/o/a%2Fb/i/%C3%A9%20%25'), { id: 'a/b', item: 'é %' });
  t.same(params('DELETE', '/o/1/i/2'), { order: '1', item: '2' });
  t.same(params('GET', '/f/x/y'), {});
});

test('GET serves HEAD unless HEAD is declared', async (t) => {
  const find = ask(['GET /a', 'GET /b', 'HEAD /b']);
  t.equal(find('HEAD', '/a').route?.id, 'GET /a');
  t.equal(find('HEAD', '/b').route?.id, 'HEAD /b');
});

test('unknown paths, methods and encodings have their own answers', async (t) => {
  const find = ask(['GET /a/{x}', 'POST /a/{x}', 'GET /docs/']);
  const reply = (method: string, path: string, query = '') => {
    const found = find(method, path, query);
    return found.route === undefined ? found.reply : undefined;
  };
  t.match(reply('GET', '/nope'), { status: 404, headers: { 'Content-Type': /text\/plain/ } });
  t.match(reply('DELETE', '/a/1'), { status: 405, headers: { Allow: 'GET, HEAD, OPTIONS, POST' } });
  t.match(reply('BREW', '/a/1'), { status: 405 });
  t.match(reply('BREW', '/nope'), { status: 404 });
  t.match(reply('OPTIONS', '/a/1'), { status: 204, body: '', headers: { Allow: 'GET, HEAD, OPTIONS, POST' } });
  t.match(reply('GET', '/a/%zz'), { status: 400 });
  t.match(reply('GET', '*'), { status: 400 });
  t.match(reply('GET', '/a//1', 'q=1'), { status: 301, headers: { Location: '/a/1?q=1' } });
  t.match(reply('POST', '/a/./1'), { status: 308, headers: { Location: '/a/1' } });
  t.match(reply('GET', '/docs'), { status: 301, headers: { Location: '/docs/' } });
});

test('a declared OPTIONS route replaces the automatic one', async (t) => {
  t.equal(ask(['GET /a', 'OPTIONS /a'])('OPTIONS', '/a').route?.id, 'OPTIONS /a');
});
