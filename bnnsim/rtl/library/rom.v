// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Read-only memory of DEPTH_WORDS, read in the cycle in which `read` is set; the word is there in the next.
//
// A depth that is no power of two is laid out in parts (16,384 + 2,048 rather than 18,432 side by side),
// each filled from a file of its own: <FILE>_a.hex, <FILE>_b.hex ... The parts are those of
// bnnsim/cost/own/structure.py: the largest power of two, then what is left, as long as that is at most half as
// much; memories of up to 512 words are one. Parts of up to 64 words are logic, deeper ones block memory:
// left to themselves, synthesis tools make logic of thousands of words.

module rom #(
    parameter WIDTH_BITS   = 8,
    parameter DEPTH_WORDS  = 16,
    parameter ADDRESS_BITS = 4,
    parameter FILE         = "memory"
) (
    input  wire                    clk,
    input  wire                    read,
    input  wire [ADDRESS_BITS-1:0] address,
    output wire [WIDTH_BITS-1:0]   word
);
    localparam PARTS = part_count(0);

    // How many words part `index` holds, and where it begins.
    function integer part_place(input integer index, input integer wants_base);
        integer base, left, most, part;
        begin
            base = 0;
            left = DEPTH_WORDS;
            most = 0;
            for (part = 0; part <= index; part = part + 1) begin
                base = base + most;
                left = left - most;
                most = 1;
                while (2 * most <= left) most = 2 * most;
                if (left <= 512 | 2 * (left - most) > most) most = left;
            end
            part_place = wants_base != 0 ? base : most;
        end
    endfunction

    function integer part_count(input integer unused);
        integer part;
        begin
            part = unused;
            while (part_place(part, 1) + part_place(part, 0) < DEPTH_WORDS) part = part + 1;
            part_count = part + 1;
        end
    endfunction

    wire [PARTS*WIDTH_BITS-1:0] found;
    reg  [PARTS-1:0]            holds;

    genvar i;
    generate
        for (i = 0; i < PARTS; i = i + 1) begin : part
            localparam BASE       = part_place(i, 1);
            localparam WORDS      = part_place(i, 0);
            localparam LOCAL_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
            // Parts stand at multiples of a power of two above them: the bits over a part's own say which.
            localparam HIGH = LOCAL_BITS < ADDRESS_BITS ? LOCAL_BITS : ADDRESS_BITS - 1;
            wire here = PARTS == 1 | address[ADDRESS_BITS-1:HIGH] == BASE[ADDRESS_BITS-1:HIGH];
            wire [WIDTH_BITS-1:0] q;

            if (WORDS <= 64) begin : logic_rom
                reg [WIDTH_BITS-1:0] words [0:WORDS-1];
                reg [WIDTH_BITS-1:0] word_read;
                initial $readmemh({FILE, "_", 8'h61 + i[7:0], ".hex"}, words);
                always @(posedge clk) if (read & here) word_read <= words[address[LOCAL_BITS-1:0]];
                assign q = word_read;
            end else begin : block_rom
                (* ram_style = "block" *) reg [WIDTH_BITS-1:0] words [0:WORDS-1];
                reg [WIDTH_BITS-1:0] word_read;
                initial $readmemh({FILE, "_", 8'h61 + i[7:0], ".hex"}, words);
                always @(posedge clk) if (read & here) word_read <= words[address[LOCAL_BITS-1:0]];
                assign q = word_read;
            end

            always @(posedge clk) if (read) holds[i] <= here;
            assign found[i*WIDTH_BITS +: WIDTH_BITS] = PARTS == 1 | holds[i] ? q : {WIDTH_BITS{1'b0}};
        end
    endgenerate

    // Of the parts' words the one that was asked for.
    integer p;
    reg [WIDTH_BITS-1:0] joined;
    always @* begin
        joined = {WIDTH_BITS{1'b0}};
        for (p = 0; p < PARTS; p = p + 1) joined = joined | found[p*WIDTH_BITS +: WIDTH_BITS];
    end
    assign word = joined;
endmodule
