// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// How many of LANES bits of `a` and `b` are equal. Three lanes and their count are two functions of six
// inputs, which a LUT6 each holds; a tree adds them up.

module match_count #(
    parameter LANES = 3,
    parameter BITS  = $clog2(LANES + 1)
) (
    input  wire [LANES-1:0] a,
    input  wire [LANES-1:0] b,
    output wire [BITS-1:0]  found
);
    localparam THREES    = (LANES + 2) / 3;
    localparam TREE_BITS = 2 + (THREES > 1 ? $clog2(THREES) : 0);

    wire [3*THREES-1:0]  equal; // lanes that are not there are not equal
    wire [2*THREES-1:0]  counts;
    wire [TREE_BITS-1:0] sum;

    assign equal[LANES-1:0] = ~(a ^ b);
    generate
        if (3 * THREES > LANES) begin : padded
            assign equal[3*THREES-1:LANES] = 0;
        end
    endgenerate

    genvar i;
    generate
        for (i = 0; i < THREES; i = i + 1) begin : three
            wire [2:0] lane = equal[3*i +: 3];
            assign counts[2*i]     = lane[0] ^ lane[1] ^ lane[2];
            assign counts[2*i + 1] = lane[0] & lane[1] | lane[2] & (lane[0] | lane[1]);
        end
    endgenerate

    sum_tree #(.LANES(THREES), .BITS(2)) tree (.values(counts), .sum(sum));
    generate
        if (BITS <= TREE_BITS) begin : cut
            assign found = sum[BITS-1:0];
            wire unused_carry = &{1'b0, sum};
        end else begin : extended
            assign found = {{BITS-TREE_BITS{1'b0}}, sum};
        end
    endgenerate
endmodule
