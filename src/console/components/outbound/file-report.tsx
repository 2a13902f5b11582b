import type { CreatedCampaign } from '../../api/outbound-types.ts';

const SHOWN = 100;

/** What became of the lines of a campaign's file. */
export function FileReport({ created: { campaign, rejected, duplicates } }: { created: CreatedCampaign }) {
  const notes = [
    ...rejected.map(({ line, message }) => ({ line, message })),
    ...duplicates.map(({ line, of }) => ({ line, message: `is the number of line ${of} again` })),
  ].sort((a, b) => a.line - b.line);
  const left = campaign.rejected + campaign.duplicates;
  return (
    <div role="status">
      <p className="form-note">
        {campaign.name} runs: {campaign.numbers === 1 ? '1 number is' : `${campaign.numbers} numbers are`} called.
      </p>
      {left > 0 && (
        <>
          <p className="form-note warn">{left === 1 ? '1 line is left out:' : `${left} lines are left out:`}</p>
          <ul className="file-report">
            {notes.slice(0, SHOWN).map(({ line, message }) => (
              <li key={line}>
                <b>Line {line}</b> {message}
              </li>
            ))}
            {left > SHOWN && <li>and {left - SHOWN} more.</li>}
          </ul>
        </>
      )}
    </div>
  );
}
