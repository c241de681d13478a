// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// A number in another width: extended by its sign or zeros, or cut where its value fits.

module resize #(
    parameter FROM   = 1,
    parameter TO     = 1,
    parameter SIGNED = 0
) (
    input  wire [FROM-1:0] value,
    output wire [TO-1:0]   result
);
    generate
        if (TO > FROM) begin : extended
            assign result = {{TO-FROM{SIGNED != 0 & value[FROM-1]}}, value};
        end else begin : cut
            assign result = value[TO-1:0];
            wire unused_bits = &{1'b0, value};
        end
    endgenerate
endmodule
