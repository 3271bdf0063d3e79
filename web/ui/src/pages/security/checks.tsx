import { useQuery } from '@tanstack/react-query';
import { checks } from '../../api/queries';
import { useT } from '../../i18n';
import { Loaded, State } from '../../kit';
import { tones, worst } from './data';

/** Checks are the invariants and how each of them is, what needs somebody first. */
export function Checks() {
  const t = useT('security');
  return (
    <Loaded query={useQuery(checks)} rows={6}>
      {(all) => (
        <ul className="checks">
          {worst(all).map((c) => {
            const account = /^account:(.*)$/.exec(c.name)?.[1];
            return (
              <li key={c.name}>
                <State tone={tones[c.state]}>{t(`state.${c.state}`)}</State>
                <div>
                  <p className="check-name">{account === undefined ? (t.maybe(`check.${c.name}`) ?? c.name) : t('check.account', { account })}</p>
                  <p dir="auto" lang="en">
                    {c.text}
                  </p>
                  {c.fix && (
                    <p className="quiet" dir="auto" lang="en">
                      {c.fix}
                    </p>
                  )}
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </Loaded>
  );
}
