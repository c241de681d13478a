/* Designs as the page holds them: a column for each field, byte by byte (report/search/columns.py writes them). */

/* Each design as an object; fields that are lists (of figures or knobs) as arrays. */
async function rowsOf(packed) {
  const bytes = new Uint8Array(await inflated(packed).arrayBuffer());
  const end = bytes.indexOf(10);
  const { count, ...heads } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  let next = end + 1;
  const plane = () => bytes.subarray(next, next += count);
  const rows = Array.from({ length: count }, () => ({}));
  for (const [name, head] of Object.entries(heads)) {
    if (!Array.isArray(head)) { columnValues(head, count, plane).forEach((value, i) => { rows[i][name] = value; }); continue; }
    const parts = head.map((one) => columnValues(one, count, plane));
    rows.forEach((row, i) => { row[name] = parts.map((part) => part[i]); });
  }
  return rows;
}

/* Codes are places among the values, or digits (0: none) with a plane of how many are behind the point; texts of digits have a width. */
function columnValues({ values, least, planes, width }, count, plane) {
  const codes = new Array(count).fill(0);
  for (let k = 0; k < planes; k += 1) plane().forEach((byte, i) => { codes[i] += byte * 256 ** k; });
  if (values) return codes.map((code) => values[code]);
  const behind = plane();
  const numbers = codes.map((code, i) => (code === 0 ? null : Number(`${least + code - 1}e-${behind[i]}`)));
  return width ? numbers.map((one) => String(one).padStart(width, "0")) : numbers;
}
