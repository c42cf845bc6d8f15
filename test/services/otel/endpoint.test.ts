import { test } from 'tap';
import { resolveEndpoint } from '../../../services/otel/endpoint.ts';

const base = { path: 'v1/traces', insecure: false };
const urlOf = (text: string, options = base) => {
  const endpoint = resolveEndpoint(text, options);
  return endpoint.ok ? endpoint.url : endpoint.problem;
};

test('a base URL gets the signal path, a per-signal URL stays as it is', async (t) => {
  t.equal(urlOf('http://localhost:4318'), 'http://localhost:4318/v1/traces');
  t.equal(urlOf('http://localhost:4318/'), 'http://localhost:4318/v1/traces');
  t.equal(urlOf('https://x.example/otlp/'), 'https://x.example/otlp/v1/traces');
  t.equal(urlOf('https://x.example/otlp?key=1'), 'https://x.example/otlp/v1/traces?key=1');
  const asIs = resolveEndpoint('https://x.example', { path: undefined, insecure: false });
  t.match(asIs, { ok: true, url: 'https://x.example/' });
});

test('rule 125: without a scheme it is plain on loopback and TLS elsewhere, unless insecure', async (t) => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]', 'a.localhost']) {
    t.equal(urlOf(`${host}:4318`), `http://${host}:4318/v1/traces`);
  }
  for (const host of ['collector', '10.0.0.1', 'localhost.example.com', '128.0.0.1']) {
    t.equal(urlOf(`${host}:4318`), `https://${host}:4318/v1/traces`);
    t.equal(urlOf(`${host}:4318`, { ...base, insecure: true }), `http://${host}:4318/v1/traces`);
  }
});

test('rule 125: plain text off loopback warns, and shows no credentials', async (t) => {
  const warningOf = (text: string, insecure = false) => {
    const endpoint = resolveEndpoint(text, { path: 'v1/traces', insecure });
    return endpoint.ok ? endpoint.warning : endpoint.problem;
  };
  t.match(warningOf('http://u:geheim@collector:4318'), /http:\/\/collector:4318/);
  t.notMatch(warningOf('http://u:geheim@collector:4318'), /geheim/);
  t.match(warningOf('collector:4318', true), /unencrypted/);
  t.equal(warningOf('https://collector:4318'), undefined);
  t.equal(warningOf('http://localhost:4318'), undefined);
  t.equal(warningOf('collector:4318'), undefined);
});

test('rule 89: what is no endpoint is told apart from one, with what to write instead', async (t) => {
  for (const text of ['://x', '', ' ', 'http://', 'ftp://x', 'http://a b', 'localhost:notaport', 'http://x:99999']) {
    const endpoint = resolveEndpoint(text, base);
    t.equal(endpoint.ok, false, text);
    if (!endpoint.ok) t.match(endpoint.problem, /OTLP endpoint.*Write e\.g\. http:\/\/localhost:4318/);
  }
  t.notMatch(resolveEndpoint('http://u:geheim@x:99999', base), { problem: /geheim/ });
});
