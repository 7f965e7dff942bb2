"""Reading the user's files of rows and of text: a part at a time, each row with its place, bad ones named."""
