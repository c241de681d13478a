/* What was deflated and written as base64 (report/figures/packing.py), as a response to read. */
const inflated = (text) => {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")));
};
