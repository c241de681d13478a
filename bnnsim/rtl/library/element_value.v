// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// What an element means, as a number of TO bits, in two's complement where it can be negative. BIPOLAR: bit
// 1 is +1, bit 0 is -1.

module element_value #(
    parameter FROM    = 4,
    parameter TO      = 6,
    parameter SIGNED  = 1,
    parameter BIPOLAR = 0
) (
    input  wire [FROM-1:0] element,
    output wire [TO-1:0]   value
);
    generate
        if (BIPOLAR != 0) begin : sign
            wire unused_bits = &{1'b0, element};
            wire [TO:0] plus_or_minus = {{TO{!element[0]}}, 1'b1};
            assign value = plus_or_minus[TO-1:0];
            wire unused_sign = plus_or_minus[TO];
        end else begin : number
            resize #(.FROM(FROM), .TO(TO), .SIGNED(SIGNED)) resized (.value(element), .result(value));
        end
    endgenerate
endmodule
