/* Designs as the page holds them: a column for each field (report/search/columns.py writes them). */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const LISTS = new Set(["figures", "knobs", "shares"]);
const placeOf = new Map([...DIGITS].map((digit, i) => [digit, i]));

function columnValues(column) {
  if (Array.isArray(column)) return column;
  const { values, codes, digits } = column;
  const found = new Array(codes.length / digits);
  for (let i = 0, at = 0; i < found.length; i += 1) {
    let place = 0;
    for (let k = 0; k < digits; k += 1, at += 1) place = place * 64 + placeOf.get(codes[at]);
    found[i] = values[place];
  }
  return found;
}

/* Each design as an object; fields that are lists (of figures or knobs) as arrays. */
function rowsOf(held) {
  const { count, ...fields } = held;
  const rows = Array.from({ length: count }, () => ({}));
  for (const [name, field] of Object.entries(fields)) {
    if (!LISTS.has(name)) { columnValues(field).forEach((value, i) => { rows[i][name] = value; }); continue; }
    const parts = field.map(columnValues);
    rows.forEach((row, i) => { row[name] = parts.map((part) => part[i]); });
  }
  return rows;
}
