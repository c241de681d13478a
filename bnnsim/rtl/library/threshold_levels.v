// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// How many of a channel's thresholds its sum reaches, from LOWEST up.

module threshold_levels #(
    parameter SUM_BITS       = 2,
    parameter SIGNED         = 0,
    parameter THRESHOLDS     = 1,
    parameter THRESHOLD_BITS = 2,
    parameter LOWEST         = 0,
    parameter OUTPUT_BITS    = 1
) (
    input  wire [SUM_BITS-1:0]                  sum,
    input  wire [THRESHOLDS*THRESHOLD_BITS-1:0] limits,
    output wire [OUTPUT_BITS-1:0]               level
);
    localparam BITS       = SUM_BITS > THRESHOLD_BITS ? SUM_BITS : THRESHOLD_BITS;
    localparam TREE_BITS  = 1 + (THRESHOLDS > 1 ? $clog2(THRESHOLDS) : 0);

    wire [BITS-1:0]        a;
    wire [THRESHOLDS-1:0]  fires;
    wire [TREE_BITS-1:0]   count;

    resize #(.FROM(SUM_BITS), .TO(BITS), .SIGNED(SIGNED)) widened (.value(sum), .result(a));

    genvar t;
    generate
        for (t = 0; t < THRESHOLDS; t = t + 1) begin : threshold
            wire [BITS-1:0] b;
            resize #(.FROM(THRESHOLD_BITS), .TO(BITS), .SIGNED(SIGNED)) limit (
                .value(limits[t*THRESHOLD_BITS +: THRESHOLD_BITS]), .result(b));
            if (SIGNED != 0) begin : two_s_complement
                assign fires[t] = $signed(a) >= $signed(b);
            end else begin : natural
                assign fires[t] = a >= b;
            end
        end
    endgenerate

    sum_tree #(.LANES(THRESHOLDS), .BITS(1)) tree (.values(fires), .sum(count));
    generate
        if (LOWEST == 0) begin : from_zero
            resize #(.FROM(TREE_BITS), .TO(OUTPUT_BITS)) cut (.value(count), .result(level));
        end else begin : shifted
            localparam integer WIDE = (OUTPUT_BITS > TREE_BITS ? OUTPUT_BITS : TREE_BITS) + 1;
            wire [WIDE-1:0] moved = {{WIDE-TREE_BITS{1'b0}}, count} + LOWEST[WIDE-1:0];
            assign level = moved[OUTPUT_BITS-1:0];
            wire unused_carry = &{1'b0, moved};
        end
    endgenerate
endmodule
