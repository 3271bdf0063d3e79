import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { models, status } from '../../api/queries';
import { useT } from '../../i18n';
import { CodeBlock, Copyable, CopyButton, Family, Field, Loaded, Section, Select } from '../../kit';
import { baseOf, clientIds, clients, modelFor, type ClientId, type KeyText } from './clients';
import { config, setting, where } from './data';
import type { Made } from './made';
import type { Search } from './search';

/** Connect is all that somebody needs who points a client at Portico. */
export function Connect({ s, made }: { s: Search; made: Made[] }) {
  return (
    <div className="columns">
      <div className="parts">
        <Snippets s={s} made={made} />
      </div>
      <div className="parts">
        <Address />
        <Endpoints />
      </div>
    </div>
  );
}

/** Snippets are the lines for one client, ready to be pasted. */
function Snippets({ s, made }: { s: Search; made: Made[] }) {
  const t = useT('proxy');
  const navigate = useNavigate();
  const st = useQuery(status);
  const known = useQuery(models).data ?? [];
  const [chosen, setChosen] = useState<string>();
  const set = (change: Partial<Search>) => void navigate({ to: '/proxy', search: (p) => ({ ...p, ...change }), replace: true });

  const id = s.client ?? 'curl';
  const ids = known.map((m) => m.id);
  const model = s.model ?? modelFor(id, ids) ?? 'simulator';
  const free = st.data?.auth === 'off';
  const choices = [
    ...(free ? [{ value: 'any', label: t('with.any') }] : []),
    { value: 'variable', label: t('with.variable', { name: '$PORTICO_KEY' }) },
    ...made.map((m) => ({ value: `made ${m.name}`, label: t('with.made', { name: m.name }) })),
  ];
  const fresh = made[0] && `made ${made[0].name}`;
  const want = chosen ?? fresh ?? (free ? 'any' : 'variable');
  const choice = choices.some((c) => c.value === want) ? want : (choices[0]?.value ?? 'variable');
  const mine = made.find((m) => `made ${m.name}` === choice);
  const key: KeyText = mine ? { text: mine.text } : choice === 'any' ? { text: 'portico' } : { variable: 'PORTICO_KEY' };
  const c = clients[id];
  const base = location.origin;
  const lines = c.lines({ base, model, key });

  return (
    <Section title={t('connect')} id="snippets">
      <ul className="clients" aria-label={t('connect.client')}>
        {clientIds.map((x) => (
          <li key={x}>
            <button type="button" aria-pressed={x === id} onClick={() => set({ client: x === 'curl' ? undefined : (x as ClientId) })}>
              {clients[x].name}
            </button>
          </li>
        ))}
      </ul>
      <div className="picks">
        <Field label={t('connect.model')}>
          <Select value={model} onChange={(v) => set({ model: v })} options={[...new Set([model, ...ids])].map((v) => ({ value: v, label: v }))} />
        </Field>
        <Field label={t('connect.key')}>
          <Select value={choice} onChange={setChosen} options={choices} />
        </Field>
      </div>
      <p className="base">
        <span className="quiet">{t('connect.base')}</span> <Copyable text={baseOf(id, base)} /> <span className="quiet">{c.v1 ? t('connect.v1') : t('connect.bare')}</span>
      </p>
      <div className="blocks">
        {lines.map((l) => (
          <div key={l.code}>
            <CodeBlock code={l.code} label={l.file ?? (l.form ? t('connect.form', { client: c.name }) : c.name)} />
            {l.bare && <p className="quiet">{t('connect.put', { word: 'KEY' })}</p>}
          </div>
        ))}
        {mine ? <p className="quiet">{t('connect.secret')}</p> : !free && <p className="quiet">{t.rich('connect.make', { link: <Link to="/proxy" search={(p) => ({ ...p, add: true })}>{t('connect.make.link')}</Link> })}</p>}
      </div>
    </Section>
  );
}

/** Address is where Portico listens, whom it serves, and which line says so. */
function Address() {
  const t = useT('proxy');
  const st = useQuery(status);
  const c = useQuery(config).data?.keys;
  return (
    <Section title={t('address')} id="address">
      <Loaded query={st} rows={4}>
        {(now) => (
          <>
            <dl className="facts">
              <Fact name={t('address.listens')} from={where(setting(c, 'port')?.source)}>
                <Copyable text={now.address} />
              </Fact>
              <Fact name={t('address.key')} note={<code>auth_mode: {now.auth_mode}</code>} from={where(setting(c, 'auth_mode')?.source)}>
                {t(`auth.${now.auth}`)}
              </Fact>
              <Fact name={t('address.network')} note={<code>allow_lan_access: {String(now.lan)}</code>} from={where(setting(c, 'allow_lan_access')?.source)}>
                {now.lan ? t('lan.on') : t('lan.off')}
              </Fact>
            </dl>
            {!now.lan && (
              <details className="how">
                <summary>{t('lan.how')}</summary>
                <CodeBlock code={'allow_lan_access: true\nauth_mode: auto'} label={now.config_file ?? `${now.data_dir}/portico.yaml`} />
                <p className="quiet">{t('lan.then')}</p>
              </details>
            )}
          </>
        )}
      </Loaded>
    </Section>
  );
}

function Fact({ name, note, from, children }: { name: string; note?: ReactNode; from?: string; children: ReactNode }) {
  const t = useT('proxy');
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>
        <div>{children}</div>
        <div className="quiet small">
          {note}
          {note && ' · '}
          {from ? <code>{from}</code> : t('source.default')}
        </div>
      </dd>
    </div>
  );
}

const endpoints = [
  { family: 'openai', name: 'OpenAI', paths: ['POST /v1/chat/completions', 'POST /v1/responses', 'POST /v1/embeddings', 'GET /v1/models'] },
  { family: 'anthropic', name: 'Anthropic', paths: ['POST /v1/messages', 'POST /v1/messages/count_tokens'] },
  { family: 'gemini', name: 'Gemini', paths: ['POST /v1beta/models/MODEL:generateContent', 'POST /v1beta/models/MODEL:streamGenerateContent', 'GET /v1beta/models'] },
];

/** Endpoints are the addresses of each family. */
function Endpoints() {
  const t = useT('proxy');
  return (
    <Section title={t('endpoints')} id="endpoints">
      {endpoints.map((e) => (
        <div key={e.family} className="endpoints">
          <h3>
            <Family of={e.family} /> {e.name}
          </h3>
          <ul>
            {e.paths.map((p) => {
              const [method, path] = p.split(' ');
              return (
                <li key={p} dir="ltr">
                  <span className="method quiet mono">{method}</span>
                  <code className="clip" title={path}>
                    {path}
                  </code>
                  <CopyButton text={location.origin + path} what={path} />
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </Section>
  );
}
