"""What past commits did to answers, and who wrote them."""
