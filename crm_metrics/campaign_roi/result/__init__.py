"""Did this campaign change what people did? Empty, so that importing one part loads no other."""
