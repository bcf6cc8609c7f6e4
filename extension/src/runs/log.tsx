import React, { useLayoutEffect, useRef, useState } from 'react';

import { CommandIDs } from '../commandids';
import { usePanel } from '../components/context';
import { bytes } from '../format';
import type { RunModel } from './model';

/** What a run printed, following its end unless a person has scrolled away from it. */
export function Log(props: { model: RunModel }): JSX.Element {
  const { trans, run: execute } = usePanel();
  const { model } = props;
  const [follow, setFollow] = useState(true);
  const node = useRef<HTMLPreElement>(null);
  const text = plain(model.log);

  useLayoutEffect(() => {
    if (follow && node.current) {
      node.current.scrollTop = node.current.scrollHeight;
    }
  }, [text, follow]);

  const onScroll = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = node.current!;
    setFollow(scrollHeight - scrollTop - clientHeight < 24);
  };
  return (
    <section className="jp-Wavebook-part" aria-label={trans.__('Log')}>
      <header>
        <h2>{trans.__('Log')}</h2>
        <label className="jp-Wavebook-quiet">
          <input
            type="checkbox"
            checked={follow}
            onChange={event => setFollow(event.target.checked)}
          />
          {trans.__('Follow')}
        </label>
        {model.run?.log && (
          <button
            type="button"
            className="jp-Wavebook-textButton"
            onClick={() => void execute(CommandIDs.openLog, { run: model.id })}
          >
            {trans.__('Open file')}
          </button>
        )}
      </header>
      {model.logSkipped > 0 && (
        <p className="jp-Wavebook-quiet">
          {trans.__('The first %1 are in the file alone.', bytes(model.logSkipped))}
        </p>
      )}
      {text ? (
        <pre
          ref={node}
          className="jp-Wavebook-log"
          tabIndex={0}
          aria-label={trans.__('Log of %1', model.id)}
          onScroll={onScroll}
        >
          {text}
        </pre>
      ) : (
        <p className="jp-Wavebook-quiet">{trans.__('Nothing has been printed yet.')}</p>
      )}
    </section>
  );
}

/** The text as a terminal would leave it: without colours, and of a line that was written over, its last state. */
function plain(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex
      .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
      .replace(/\r\n/g, '\n')
      .replace(/[^\n]*\r(?=[^\n])/g, '')
  );
}
