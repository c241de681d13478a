// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Whether a counter is below a LIMIT that it may never reach, or that may be 0.

module below #(
    parameter BITS  = 2,
    parameter LIMIT = 1
) (
    input  wire [BITS-1:0] value,
    output wire            is_below
);
    generate
        if (LIMIT <= 0) begin : never
            assign is_below = 1'b0;
            wire unused_value = &value;
        end else if (LIMIT >= 1 << BITS) begin : always_below
            assign is_below = 1'b1;
            wire unused_value = &value;
        end else begin : compared
            assign is_below = value < LIMIT[BITS-1:0];
        end
    endgenerate
endmodule
