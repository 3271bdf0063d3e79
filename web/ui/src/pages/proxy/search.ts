import { among, text } from '../../lib/search';
import { clientIds, type ClientId } from './clients';

export const tabs = ['connect', 'models', 'keys'] as const;
export type Tab = (typeof tabs)[number];

export const protocols = ['openai-chat', 'openai-responses', 'anthropic', 'gemini'] as const;
export type Protocol = (typeof protocols)[number];

/** What of the page stands in its address; never a key, only the name of one. */
export interface Search {
  tab?: Tab;
  client?: ClientId;
  model?: string; // in the lines for the client
  ask?: string; // the model that is asked about
  protocol?: Protocol; // of who would ask for it
  key?: string; // the name of the key that it would be asked with
  open?: string; // the name of the key whose drawer is open
  add?: boolean;
  q?: string; // a part of the names of keys
}

export function search(raw: Record<string, unknown>): Search {
  return {
    tab: among(raw.tab, tabs),
    client: among(raw.client, clientIds),
    model: text(raw.model),
    ask: text(raw.ask),
    protocol: among(raw.protocol, protocols),
    key: text(raw.key),
    open: text(raw.open),
    add: raw.add === true || undefined,
    q: text(raw.q),
  };
}
