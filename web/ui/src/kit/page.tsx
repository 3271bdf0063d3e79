import type { ReactNode } from 'react';
import { Mark, type Tone } from './state';

/** PageHead opens a page: one sentence that says how things are, and at most two acts. */
export function PageHead({ title, tone, sentence, acts }: { title: string; tone?: Tone; sentence: ReactNode; acts?: ReactNode }) {
  return (
    <header className="page-head">
      <div>
        <h1 className="page-title">{title}</h1>
        <p className="sentence">
          {tone && <Mark tone={tone} />}
          <span>{sentence}</span>
        </p>
      </div>
      {acts && <div className="page-acts">{acts}</div>}
    </header>
  );
}

/** Section is a part of a page with its head. */
export function Section({ title, side, children, id }: { title: ReactNode; side?: ReactNode; children: ReactNode; id?: string }) {
  return (
    <section className="section" aria-labelledby={id && `${id}-head`} id={id}>
      <header className="section-head">
        <h2 id={id && `${id}-head`}>{title}</h2>
        {side && <div className="section-side">{side}</div>}
      </header>
      {children}
    </section>
  );
}
