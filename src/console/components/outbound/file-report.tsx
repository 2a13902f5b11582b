import type { CreatedCampaign } from '../../api/outbound-types.ts';

const SHOWN = 100;

/** What became of the lines of a campaign's file. */
export function FileReport({ created: { campaign, rejected, duplicates } }: { created: CreatedCampaign }) {
  const notes = [
    ...rejected.map(({ line, message }) => ({ line, message })),
    ...duplicates.map(({ line, of }) => ({ line, message: `is the number of line ${of} again` })),
  ].sort((a, b) => a.line - b.line);
  return (
    <div role="status">
      <p className="form-note">
        {campaign.name} runs: {campaign.numbers === 1 ? '1 number is' : `${campaign.numbers} numbers are`} called.
      </p>
      {notes.length > 0 && (
        <>
          <p className="form-note warn">
            {notes.length === 1 ? '1 line is left out:' : `${notes.length} lines are left out:`}
          </p>
          <ul className="file-report">
            {notes.slice(0, SHOWN).map(({ line, message }) => (
              <li key={line}>
                <b>Line {line}</b> {message}
              </li>
            ))}
            {notes.length > SHOWN && <li>and {notes.length - SHOWN} more.</li>}
          </ul>
        </>
      )}
    </div>
  );
}
