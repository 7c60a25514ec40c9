# The program in the EXAMPLE section of libsettle.3.scd, as scdoc shows it: what a backslash
# stands before in a literal block is itself.
/^# / { in_section = ($2 == "EXAMPLE") }
/^```/ { in_block = !in_block; next }
in_section && in_block {
	gsub(/\\\\/, "\\")
	print
}
