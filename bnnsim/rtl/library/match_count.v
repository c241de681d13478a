// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// How many of LANES bits of `a` and `b` are equal. Three lanes and their count are two functions of six
// inputs, which a LUT6 each holds; synthesis makes a tree of their sum.

module match_count #(
    parameter LANES = 3,
    parameter BITS  = $clog2(LANES + 1)
) (
    input  wire [LANES-1:0] a,
    input  wire [LANES-1:0] b,
    output wire [BITS-1:0]  found
);
    localparam integer THREES     = (LANES + 2) / 3;
    localparam integer TOTAL_BITS = $clog2(3 * THREES + 1);

    wire [3*THREES-1:0]   equal; // lanes that are not there are not equal
    reg  [TOTAL_BITS-1:0] total;
    reg  [2:0]            three;
    integer               i;

    assign equal[LANES-1:0] = ~(a ^ b);
    generate
        if (3 * THREES > LANES) begin : padded
            assign equal[3*THREES-1:LANES] = 0;
        end
    endgenerate

    always @* begin
        total = {TOTAL_BITS{1'b0}};
        three = 3'b000;
        for (i = 0; i < THREES; i = i + 1) begin
            three = equal[3*i +: 3];
            total = total + {{TOTAL_BITS-2{1'b0}}, three[0] & three[1] | three[2] & (three[0] | three[1]),
                             three[0] ^ three[1] ^ three[2]};
        end
    end

    assign found = total[BITS-1:0];
    wire unused_carry = &{1'b0, total};
endmodule
