import { test } from 'tap';
import { cleanPath, parsePattern } from '../../../services/http/pattern.ts';

const parsed = (path: string) => {
  const pattern = parsePattern(path);
  if (typeof pattern === 'string') throw new Error(pattern);
  return pattern;
};

test('parameters of both forms, rest, exact slash and subtree', async (t) => {
  t.match(parsed('/orders/{id}/items/:item'), { params: ['id', 'item'], canonical: '/orders/{}/items/{}' });
  t.match(parsed('/files/{path...}'), { params: [], canonical: '/files/*' });
  t.match(parsed('/docs/{$}'), { canonical: '/docs/' });
  t.match(parsed('/docs/'), { canonical: '/docs/*' });
  t.equal(parsed('/orders/{id}').template, '/orders/{id}');
});

test('patterns that match the same requests have one canonical form, others do not', async (t) => {
  t.equal(parsed('/a/{x}').canonical, parsed('/a/:y').canonical);
  t.equal(parsed('/a/{rest...}').canonical, parsed('/a/').canonical);
  t.not(parsed('/a/{$}').canonical, parsed('/a/').canonical);
  t.not(parsed('/a').canonical, parsed('/a/').canonical);
});

test('what is wrong with a path is said', async (t) => {
  for (const [path, expected] of [
    ['orders', /must start with \//],
    ['/a//b', /empty segments/],
    ['/a/../b', /'\.\.'/],
    ['/a?x', /'\?'/],
    ['/a*', /'\*'/],
    ['/a b', /must not contain ' '/],
    ['/{a}{b}', /not a parameter name/],
    ['/x{a}', /whole segment/],
    ['/{a}/{a}', /occurs twice/],
    ['/{$}/a', /last segment/],
    ['/{a...}/b', /last segment/],
    ['/{}', /not a parameter name/],
  ] as const) {
    t.match(parsePattern(path), expected, path);
  }
});

test('clean paths stay, unclean ones are cleaned, and none leads to another host', async (t) => {
  for (const path of ['/', '/a', '/a/', '/a.b/..c/...', '/a%2Fb', '/%2e%2ex']) t.equal(cleanPath(path), path);
  for (const [path, clean] of [
    ['//a', '/a'],
    ['/a//b/', '/a/b/'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../../etc', '/etc'],
    ['/a/b/..', '/a/'],
    ['/a/%2e%2E/b', '/b'],
    ['//evil.example/..', '/'],
    ['//\\evil.example', '/%5Cevil.example'],
  ] as const) {
    t.equal(cleanPath(path), clean, path);
  }
});
