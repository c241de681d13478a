// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim: models of the block memories in a netlist that Yosys maps to Xilinx 7 series, for the
// bench of `bnnsim check-rtl --netlist`. Yosys brings models of all other cells; of these only the ports.
// Written from the vendor's description of RAMB18E1 and RAMB36E1 (UG473), as far as Yosys uses them:
// no output registers, no cascades, no collisions between ports.

// A memory of BYTES bytes with a parity bit each and two ports. A width is data and parity bits together;
// words of 8 bits and more are whole bytes with their parity.
module block_memory_model #(
    parameter BYTES = 2048,
    parameter ADDRESS_BITS = 14,          // of a bit of data
    parameter [8*BYTES-1:0] INIT  = 0,
    parameter [BYTES-1:0]   INITP = 0,
    parameter READ_A = 0, READ_B = 0, WRITE_A = 0, WRITE_B = 0,
    parameter READS_FIRST_A = 1, READS_FIRST_B = 1
) (
    input  wire                    clk_a, enable_a, clk_b, enable_b,
    input  wire [ADDRESS_BITS-1:0] address_a, address_b,
    input  wire [7:0]              write_a, write_b,
    input  wire [63:0]             data_a, data_b,
    input  wire [7:0]              parity_a, parity_b,
    output reg  [63:0]             q_a, q_b,
    output reg  [7:0]              p_a, p_b
);
    reg [7:0] bytes    [0:BYTES-1];
    reg       parities [0:BYTES-1];
    integer   i, j, k, l, m;

    initial
        for (i = 0; i < BYTES; i = i + 1) begin
            bytes[i]    = INIT[8*i +: 8];
            parities[i] = INITP[i];
        end

    // Data bits of a word of `width` bits in all, and the first byte of the word at a bit's address.
    function integer data_bits(input integer width);
        data_bits = width < 9 ? width : width / 9 * 8;
    endfunction

    function integer first_byte(input [ADDRESS_BITS-1:0] address, input integer width);
        first_byte = width < 9 ? address / 8 : address / data_bits(width) * (data_bits(width) / 8);
    endfunction

    function integer first_bit(input [ADDRESS_BITS-1:0] address, input integer width);
        first_bit = width < 9 ? address % 8 / width * width : 0;
    endfunction

    always @(posedge clk_a)
        if (enable_a) begin
            if (READ_A != 0) begin
                if (READ_A < 9)
                    q_a <= {56'b0, bytes[first_byte(address_a, READ_A)]} >> first_bit(address_a, READ_A);
                else
                    for (j = 0; 9 * j < READ_A; j = j + 1) begin
                        q_a[8*j +: 8] <= bytes[first_byte(address_a, READ_A) + j];
                        p_a[j]         <= parities[first_byte(address_a, READ_A) + j];
                    end
            end
            if (WRITE_A != 0) begin
                if (WRITE_A < 9) begin
                    for (k = 0; k < WRITE_A; k = k + 1)
                        if (write_a[0])
                            bytes[first_byte(address_a, WRITE_A)][first_bit(address_a, WRITE_A) + k]
                                <= data_a[k];
                end else
                    for (k = 0; 9 * k < WRITE_A; k = k + 1)
                        if (write_a[k]) begin
                            bytes[first_byte(address_a, WRITE_A) + k]    <= data_a[8*k +: 8];
                            parities[first_byte(address_a, WRITE_A) + k] <= parity_a[k];
                        end
            end
        end

    always @(posedge clk_b)
        if (enable_b) begin
            if (READ_B != 0) begin
                if (READ_B < 9)
                    q_b <= {56'b0, bytes[first_byte(address_b, READ_B)]} >> first_bit(address_b, READ_B);
                else
                    for (l = 0; 9 * l < READ_B; l = l + 1) begin
                        q_b[8*l +: 8] <= bytes[first_byte(address_b, READ_B) + l];
                        p_b[l]         <= parities[first_byte(address_b, READ_B) + l];
                    end
            end
            if (WRITE_B != 0) begin
                if (WRITE_B < 9) begin
                    for (m = 0; m < WRITE_B; m = m + 1)
                        if (write_b[0])
                            bytes[first_byte(address_b, WRITE_B)][first_bit(address_b, WRITE_B) + m]
                                <= data_b[m];
                end else
                    for (m = 0; 9 * m < WRITE_B; m = m + 1)
                        if (write_b[m]) begin
                            bytes[first_byte(address_b, WRITE_B) + m]    <= data_b[8*m +: 8];
                            parities[first_byte(address_b, WRITE_B) + m] <= parity_b[m];
                        end
            end
        end

    initial if ((WRITE_A != 0 & !READS_FIRST_A & READ_A != 0) | (WRITE_B != 0 & !READS_FIRST_B & READ_B != 0))
        $display("block_memory_model: a port that reads what it writes is not modelled");
endmodule

module BLOCK_RAM_18 #(
    parameter [255:0] INIT_00 = 256'b0, INIT_01 = 256'b0, INIT_02 = 256'b0, INIT_03 = 256'b0,
    parameter [255:0] INIT_04 = 256'b0, INIT_05 = 256'b0, INIT_06 = 256'b0, INIT_07 = 256'b0,
    parameter [255:0] INIT_08 = 256'b0, INIT_09 = 256'b0, INIT_0A = 256'b0, INIT_0B = 256'b0,
    parameter [255:0] INIT_0C = 256'b0, INIT_0D = 256'b0, INIT_0E = 256'b0, INIT_0F = 256'b0,
    parameter [255:0] INIT_10 = 256'b0, INIT_11 = 256'b0, INIT_12 = 256'b0, INIT_13 = 256'b0,
    parameter [255:0] INIT_14 = 256'b0, INIT_15 = 256'b0, INIT_16 = 256'b0, INIT_17 = 256'b0,
    parameter [255:0] INIT_18 = 256'b0, INIT_19 = 256'b0, INIT_1A = 256'b0, INIT_1B = 256'b0,
    parameter [255:0] INIT_1C = 256'b0, INIT_1D = 256'b0, INIT_1E = 256'b0, INIT_1F = 256'b0,
    parameter [255:0] INIT_20 = 256'b0, INIT_21 = 256'b0, INIT_22 = 256'b0, INIT_23 = 256'b0,
    parameter [255:0] INIT_24 = 256'b0, INIT_25 = 256'b0, INIT_26 = 256'b0, INIT_27 = 256'b0,
    parameter [255:0] INIT_28 = 256'b0, INIT_29 = 256'b0, INIT_2A = 256'b0, INIT_2B = 256'b0,
    parameter [255:0] INIT_2C = 256'b0, INIT_2D = 256'b0, INIT_2E = 256'b0, INIT_2F = 256'b0,
    parameter [255:0] INIT_30 = 256'b0, INIT_31 = 256'b0, INIT_32 = 256'b0, INIT_33 = 256'b0,
    parameter [255:0] INIT_34 = 256'b0, INIT_35 = 256'b0, INIT_36 = 256'b0, INIT_37 = 256'b0,
    parameter [255:0] INIT_38 = 256'b0, INIT_39 = 256'b0, INIT_3A = 256'b0, INIT_3B = 256'b0,
    parameter [255:0] INIT_3C = 256'b0, INIT_3D = 256'b0, INIT_3E = 256'b0, INIT_3F = 256'b0,
    parameter [255:0] INITP_00 = 256'b0, INITP_01 = 256'b0, INITP_02 = 256'b0, INITP_03 = 256'b0,
    parameter [255:0] INITP_04 = 256'b0, INITP_05 = 256'b0, INITP_06 = 256'b0, INITP_07 = 256'b0,
    parameter DOA_REG = 0, DOB_REG = 0, RAM_MODE = "TDP", INIT_FILE = "NONE",
    parameter INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0,
    parameter READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST",
    parameter RAM_EXTENSION_A = "NONE", RAM_EXTENSION_B = "NONE",
    parameter RDADDR_COLLISION_HWCONFIG = "DELAYED_WRITE", RSTREG_PRIORITY_A = "RSTREG",
    parameter RSTREG_PRIORITY_B = "RSTREG", SIM_COLLISION_CHECK = "ALL", SIM_DEVICE = "7SERIES",
    parameter IS_CLKARDCLK_INVERTED = 0, IS_CLKBWRCLK_INVERTED = 0, IS_ENARDEN_INVERTED = 0,
    parameter IS_ENBWREN_INVERTED = 0, IS_RSTRAMARSTRAM_INVERTED = 0, IS_RSTRAMB_INVERTED = 0,
    parameter IS_RSTREGARSTREG_INVERTED = 0, IS_RSTREGB_INVERTED = 0
) (
    input  wire CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input  wire RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input  wire [13:0] ADDRARDADDR, ADDRBWRADDR,
    input  wire [15:0] DIADI, DIBDI,
    input  wire [1:0] DIPADIP, DIPBDIP,
    input  wire [1:0] WEA,
    input  wire [3:0] WEBWE,
    output wire [15:0] DOADO, DOBDO,
    output wire [1:0] DOPADOP, DOPBDOP
);
    localparam WIDE = 36;
    wire [63:0] q_a, q_b;
    wire [7:0]  p_a, p_b;

    block_memory_model #(
        .BYTES(2048), .ADDRESS_BITS(14),
        .INIT({
        INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39, INIT_38,
        INIT_37, INIT_36, INIT_35, INIT_34, INIT_33, INIT_32, INIT_31, INIT_30,
        INIT_2F, INIT_2E, INIT_2D, INIT_2C, INIT_2B, INIT_2A, INIT_29, INIT_28,
        INIT_27, INIT_26, INIT_25, INIT_24, INIT_23, INIT_22, INIT_21, INIT_20,
        INIT_1F, INIT_1E, INIT_1D, INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18,
        INIT_17, INIT_16, INIT_15, INIT_14, INIT_13, INIT_12, INIT_11, INIT_10,
        INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09, INIT_08,
        INIT_07, INIT_06, INIT_05, INIT_04, INIT_03, INIT_02, INIT_01, INIT_00}),
        .INITP({
        INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00}),
        .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B),
        .WRITE_A(WRITE_WIDTH_A), .WRITE_B(WRITE_WIDTH_B),
        .READS_FIRST_A(WRITE_MODE_A == "READ_FIRST"), .READS_FIRST_B(WRITE_MODE_B == "READ_FIRST")
    ) memory (
        .clk_a(CLKARDCLK ^ IS_CLKARDCLK_INVERTED[0]), .enable_a(ENARDEN ^ IS_ENARDEN_INVERTED[0]),
        .clk_b(CLKBWRCLK ^ IS_CLKBWRCLK_INVERTED[0]), .enable_b(ENBWREN ^ IS_ENBWREN_INVERTED[0]),
        .address_a(ADDRARDADDR[13:0]), .address_b(ADDRBWRADDR[13:0]),
        .write_a({6'b0, WEA}), .write_b({4'b0, WEBWE}),
        .data_a({48'b0, DIADI}), .parity_a({6'b0, DIPADIP}),
        .data_b(WRITE_WIDTH_B == WIDE ? {32'b0, DIBDI, DIADI} : {48'b0, DIBDI}),
        .parity_b(WRITE_WIDTH_B == WIDE ? {4'b0, DIPBDIP, DIPADIP} : {6'b0, DIPBDIP}),
        .q_a(q_a), .q_b(q_b), .p_a(p_a), .p_b(p_b));

    assign DOADO   = q_a[15:0];
    assign DOPADOP = p_a[1:0];
    assign DOBDO   = READ_WIDTH_A == WIDE ? q_a[31:16] : q_b[15:0];
    assign DOPBDOP = READ_WIDTH_A == WIDE ? p_a[3:2] : p_b[1:0];

    initial if (DOA_REG != 0 | DOB_REG != 0)
        $display("BLOCK_RAM_18: output registers are not modelled");
endmodule

module BLOCK_RAM_36 #(
    parameter [255:0] INIT_00 = 256'b0, INIT_01 = 256'b0, INIT_02 = 256'b0, INIT_03 = 256'b0,
    parameter [255:0] INIT_04 = 256'b0, INIT_05 = 256'b0, INIT_06 = 256'b0, INIT_07 = 256'b0,
    parameter [255:0] INIT_08 = 256'b0, INIT_09 = 256'b0, INIT_0A = 256'b0, INIT_0B = 256'b0,
    parameter [255:0] INIT_0C = 256'b0, INIT_0D = 256'b0, INIT_0E = 256'b0, INIT_0F = 256'b0,
    parameter [255:0] INIT_10 = 256'b0, INIT_11 = 256'b0, INIT_12 = 256'b0, INIT_13 = 256'b0,
    parameter [255:0] INIT_14 = 256'b0, INIT_15 = 256'b0, INIT_16 = 256'b0, INIT_17 = 256'b0,
    parameter [255:0] INIT_18 = 256'b0, INIT_19 = 256'b0, INIT_1A = 256'b0, INIT_1B = 256'b0,
    parameter [255:0] INIT_1C = 256'b0, INIT_1D = 256'b0, INIT_1E = 256'b0, INIT_1F = 256'b0,
    parameter [255:0] INIT_20 = 256'b0, INIT_21 = 256'b0, INIT_22 = 256'b0, INIT_23 = 256'b0,
    parameter [255:0] INIT_24 = 256'b0, INIT_25 = 256'b0, INIT_26 = 256'b0, INIT_27 = 256'b0,
    parameter [255:0] INIT_28 = 256'b0, INIT_29 = 256'b0, INIT_2A = 256'b0, INIT_2B = 256'b0,
    parameter [255:0] INIT_2C = 256'b0, INIT_2D = 256'b0, INIT_2E = 256'b0, INIT_2F = 256'b0,
    parameter [255:0] INIT_30 = 256'b0, INIT_31 = 256'b0, INIT_32 = 256'b0, INIT_33 = 256'b0,
    parameter [255:0] INIT_34 = 256'b0, INIT_35 = 256'b0, INIT_36 = 256'b0, INIT_37 = 256'b0,
    parameter [255:0] INIT_38 = 256'b0, INIT_39 = 256'b0, INIT_3A = 256'b0, INIT_3B = 256'b0,
    parameter [255:0] INIT_3C = 256'b0, INIT_3D = 256'b0, INIT_3E = 256'b0, INIT_3F = 256'b0,
    parameter [255:0] INIT_40 = 256'b0, INIT_41 = 256'b0, INIT_42 = 256'b0, INIT_43 = 256'b0,
    parameter [255:0] INIT_44 = 256'b0, INIT_45 = 256'b0, INIT_46 = 256'b0, INIT_47 = 256'b0,
    parameter [255:0] INIT_48 = 256'b0, INIT_49 = 256'b0, INIT_4A = 256'b0, INIT_4B = 256'b0,
    parameter [255:0] INIT_4C = 256'b0, INIT_4D = 256'b0, INIT_4E = 256'b0, INIT_4F = 256'b0,
    parameter [255:0] INIT_50 = 256'b0, INIT_51 = 256'b0, INIT_52 = 256'b0, INIT_53 = 256'b0,
    parameter [255:0] INIT_54 = 256'b0, INIT_55 = 256'b0, INIT_56 = 256'b0, INIT_57 = 256'b0,
    parameter [255:0] INIT_58 = 256'b0, INIT_59 = 256'b0, INIT_5A = 256'b0, INIT_5B = 256'b0,
    parameter [255:0] INIT_5C = 256'b0, INIT_5D = 256'b0, INIT_5E = 256'b0, INIT_5F = 256'b0,
    parameter [255:0] INIT_60 = 256'b0, INIT_61 = 256'b0, INIT_62 = 256'b0, INIT_63 = 256'b0,
    parameter [255:0] INIT_64 = 256'b0, INIT_65 = 256'b0, INIT_66 = 256'b0, INIT_67 = 256'b0,
    parameter [255:0] INIT_68 = 256'b0, INIT_69 = 256'b0, INIT_6A = 256'b0, INIT_6B = 256'b0,
    parameter [255:0] INIT_6C = 256'b0, INIT_6D = 256'b0, INIT_6E = 256'b0, INIT_6F = 256'b0,
    parameter [255:0] INIT_70 = 256'b0, INIT_71 = 256'b0, INIT_72 = 256'b0, INIT_73 = 256'b0,
    parameter [255:0] INIT_74 = 256'b0, INIT_75 = 256'b0, INIT_76 = 256'b0, INIT_77 = 256'b0,
    parameter [255:0] INIT_78 = 256'b0, INIT_79 = 256'b0, INIT_7A = 256'b0, INIT_7B = 256'b0,
    parameter [255:0] INIT_7C = 256'b0, INIT_7D = 256'b0, INIT_7E = 256'b0, INIT_7F = 256'b0,
    parameter [255:0] INITP_00 = 256'b0, INITP_01 = 256'b0, INITP_02 = 256'b0, INITP_03 = 256'b0,
    parameter [255:0] INITP_04 = 256'b0, INITP_05 = 256'b0, INITP_06 = 256'b0, INITP_07 = 256'b0,
    parameter [255:0] INITP_08 = 256'b0, INITP_09 = 256'b0, INITP_0A = 256'b0, INITP_0B = 256'b0,
    parameter [255:0] INITP_0C = 256'b0, INITP_0D = 256'b0, INITP_0E = 256'b0, INITP_0F = 256'b0,
    parameter DOA_REG = 0, DOB_REG = 0, RAM_MODE = "TDP", INIT_FILE = "NONE",
    parameter INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0,
    parameter READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST",
    parameter RAM_EXTENSION_A = "NONE", RAM_EXTENSION_B = "NONE",
    parameter RDADDR_COLLISION_HWCONFIG = "DELAYED_WRITE", RSTREG_PRIORITY_A = "RSTREG",
    parameter RSTREG_PRIORITY_B = "RSTREG", SIM_COLLISION_CHECK = "ALL", SIM_DEVICE = "7SERIES",
    parameter IS_CLKARDCLK_INVERTED = 0, IS_CLKBWRCLK_INVERTED = 0, IS_ENARDEN_INVERTED = 0,
    parameter IS_ENBWREN_INVERTED = 0, IS_RSTRAMARSTRAM_INVERTED = 0, IS_RSTRAMB_INVERTED = 0,
    parameter IS_RSTREGARSTREG_INVERTED = 0, IS_RSTREGB_INVERTED = 0
) (
    input  wire CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input  wire RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input  wire [15:0] ADDRARDADDR, ADDRBWRADDR,
    input  wire [31:0] DIADI, DIBDI,
    input  wire [3:0] DIPADIP, DIPBDIP,
    input  wire [3:0] WEA,
    input  wire [7:0] WEBWE,
    output wire [31:0] DOADO, DOBDO,
    output wire [3:0] DOPADOP, DOPBDOP
);
    localparam WIDE = 72;
    wire [63:0] q_a, q_b;
    wire [7:0]  p_a, p_b;

    block_memory_model #(
        .BYTES(4096), .ADDRESS_BITS(15),
        .INIT({
        INIT_7F, INIT_7E, INIT_7D, INIT_7C, INIT_7B, INIT_7A, INIT_79, INIT_78,
        INIT_77, INIT_76, INIT_75, INIT_74, INIT_73, INIT_72, INIT_71, INIT_70,
        INIT_6F, INIT_6E, INIT_6D, INIT_6C, INIT_6B, INIT_6A, INIT_69, INIT_68,
        INIT_67, INIT_66, INIT_65, INIT_64, INIT_63, INIT_62, INIT_61, INIT_60,
        INIT_5F, INIT_5E, INIT_5D, INIT_5C, INIT_5B, INIT_5A, INIT_59, INIT_58,
        INIT_57, INIT_56, INIT_55, INIT_54, INIT_53, INIT_52, INIT_51, INIT_50,
        INIT_4F, INIT_4E, INIT_4D, INIT_4C, INIT_4B, INIT_4A, INIT_49, INIT_48,
        INIT_47, INIT_46, INIT_45, INIT_44, INIT_43, INIT_42, INIT_41, INIT_40,
        INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39, INIT_38,
        INIT_37, INIT_36, INIT_35, INIT_34, INIT_33, INIT_32, INIT_31, INIT_30,
        INIT_2F, INIT_2E, INIT_2D, INIT_2C, INIT_2B, INIT_2A, INIT_29, INIT_28,
        INIT_27, INIT_26, INIT_25, INIT_24, INIT_23, INIT_22, INIT_21, INIT_20,
        INIT_1F, INIT_1E, INIT_1D, INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18,
        INIT_17, INIT_16, INIT_15, INIT_14, INIT_13, INIT_12, INIT_11, INIT_10,
        INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09, INIT_08,
        INIT_07, INIT_06, INIT_05, INIT_04, INIT_03, INIT_02, INIT_01, INIT_00}),
        .INITP({
        INITP_0F, INITP_0E, INITP_0D, INITP_0C, INITP_0B, INITP_0A, INITP_09, INITP_08,
        INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00}),
        .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B),
        .WRITE_A(WRITE_WIDTH_A), .WRITE_B(WRITE_WIDTH_B),
        .READS_FIRST_A(WRITE_MODE_A == "READ_FIRST"), .READS_FIRST_B(WRITE_MODE_B == "READ_FIRST")
    ) memory (
        .clk_a(CLKARDCLK ^ IS_CLKARDCLK_INVERTED[0]), .enable_a(ENARDEN ^ IS_ENARDEN_INVERTED[0]),
        .clk_b(CLKBWRCLK ^ IS_CLKBWRCLK_INVERTED[0]), .enable_b(ENBWREN ^ IS_ENBWREN_INVERTED[0]),
        .address_a(ADDRARDADDR[14:0]), .address_b(ADDRBWRADDR[14:0]),
        .write_a({4'b0, WEA}), .write_b(WEBWE),
        .data_a({32'b0, DIADI}), .parity_a({4'b0, DIPADIP}),
        .data_b(WRITE_WIDTH_B == WIDE ? {DIBDI, DIADI} : {32'b0, DIBDI}),
        .parity_b(WRITE_WIDTH_B == WIDE ? {DIPBDIP, DIPADIP} : {4'b0, DIPBDIP}),
        .q_a(q_a), .q_b(q_b), .p_a(p_a), .p_b(p_b));

    assign DOADO   = q_a[31:0];
    assign DOPADOP = p_a[3:0];
    assign DOBDO   = READ_WIDTH_A == WIDE ? q_a[63:32] : q_b[31:0];
    assign DOPBDOP = READ_WIDTH_A == WIDE ? p_a[7:4] : p_b[3:0];

    initial if (DOA_REG != 0 | DOB_REG != 0)
        $display("BLOCK_RAM_36: output registers are not modelled");
endmodule
