/* Does nothing, with the libraries that reinstate is linked to: what a start costs before anybody's work begins. */
int main(void)
{
    return 0;
}
