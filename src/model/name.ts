/**
 * DC/OS' name mangling, kept so that names stay what users have in their configuration.
 *
 * **Source:** dcos mesos_state `src/mesos_state.erl` (label, domain_frag)
 */

const LABEL_LIMIT = 63

/**
 * Mangles one DNS label: lower case; `a-z0-9` kept; `-`, `_`, `.` become `-`; all else dropped;
 * dashes stripped at both ends; at most 63 characters. `My_App.v2` → `my-app-v2`.
 */
export function mangleLabel(text: string): string {
  const mapped = text
    .toLowerCase()
    .replaceAll(/[-_.]/g, '-')
    .replaceAll(/[^a-z0-9-]/g, '')
  return stripTrailing(mapped.replace(/^-+/, '').slice(0, LABEL_LIMIT))
}

/** Mangles a name with dots, label by label, empty ones dropped: `My_App.v2` → `my-app.v2`. */
export function mangleName(text: string): string {
  return text
    .split('.')
    .map(mangleLabel)
    .filter((label) => label !== '')
    .join('.')
}

function stripTrailing(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 45) end--
  return text.slice(0, end)
}
